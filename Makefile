# The only task runner. `make chat` is the main job on a fresh machine; `make test` runs all tests.
.PHONY: help chat test check bench bench-models crash eval-diagnosis understanding lock format clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JOBS ?= 3
# A plain path instead of an import hook, and compiled once: both are paid at every start.
INSTALL = $(PIP) install --quiet --no-deps --editable . --config-settings editable_mode=compat && \
  $(BIN)/python -m compileall -q agent tools

help:
	@echo "make chat            install what is needed and open the chat on this machine"
	@echo "make test            run all tests"
	@echo "make check           format, lint, types, import contracts, docs"
	@echo "make bench           speed and size, as ratios in one run"
	@echo "make bench-models    accuracy, size and latency of the model operations"
	@echo "make crash           200 kills at step boundaries, as a table"
	@echo "make eval-diagnosis  injected faults against the diagnosis, as a table"
	@echo "make understanding   train the intent model anew from the corpus (minutes)"

chat: $(VENV)/.chat
	@$(BIN)/steward chat

# Some systems ship python3 without ensurepip; pip itself can then fill the environment.
$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || \
	  ( rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV) && \
	    $(PYTHON) -m pip --python $(BIN)/python install --quiet pip )

$(VENV)/.chat: requirements/chat.txt pyproject.toml | $(BIN)/python
	@echo "Installing Steward with its model tools (once; a few minutes) ..."
	@$(PIP) install --quiet -r requirements/chat.txt
	@$(INSTALL)
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing Steward with everything its tests need (once; a few minutes) ..."
	@$(PIP) install --quiet -r requirements/dev.txt
	@$(INSTALL)
	@touch $(VENV)/.chat $@

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -q $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/python docs/generate.py --check

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	$(BIN)/python bench/start.py
	$(BIN)/python bench/turns.py
	$(BIN)/python bench/understanding.py

bench-models: $(VENV)/.dev
	$(BIN)/python bench/models.py

crash: $(VENV)/.dev
	$(BIN)/python bench/crash.py --runs 200

eval-diagnosis: $(VENV)/.dev
	$(BIN)/python bench/diagnosis.py

understanding: $(VENV)/.dev
	$(BIN)/python -m bench.intents

lock: | $(BIN)/python
	$(BIN)/python requirements/lock.py

clean:
	rm -rf $(VENV) build *.egg-info
