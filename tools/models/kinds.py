"""Model kinds: a team's Python file that says how to build its network and where its data is.

The file is named in steward.yaml (``models.NAME.module``) and offers

``build(params) -> torch.nn.Module``
    the untrained network; it maps a batch of inputs to a batch of outputs (logits).
``data(split, params) -> (inputs, targets)``
    numpy arrays of ``train``, ``validation`` and ``test``; optionally also ``calibration`` and
    ``unlabelled`` (whose targets may be ``None``).
``labels``, ``defaults``, ``search``, ``student`` (optional)
    names of the classes; default parameters; ranges for tuning; parameters of a smaller student.
``score(outputs, targets) -> array``, ``loss(outputs, targets) -> tensor`` (optional)
    goodness per example in 0..1 (default: the largest logit is the target) and the training loss
    (default: cross-entropy, mean over the batch).
``pruning(model) -> dict`` (optional)
    hints for structured pruning: ``only`` (layers that may shrink), ``ignored`` (layers that may
    not), ``heads`` (attention projection to number of heads).
``encode(text, params) -> row``, ``tokens(row) -> list`` (optional)
    for text kinds: from a text to one row of inputs, and back to words.
``entry_point`` (optional)
    a script of the team that ``torchrun`` starts instead of the built-in training loop.

The file runs only in the processes of a job, never in Steward itself: here it is read, not run
(:func:`outline`); :func:`load` is for the job's processes.
"""

from __future__ import annotations

import ast
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tools.errors import BadArguments, Refused

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.fleet import Fleet, ModelSpec

TRAINING: Mapping[str, Json] = {
    "epochs": 10,
    "lr": 0.001,
    "batch_size": 64,
    "seed": 0,
    "patience": 0,
    "schedule": "cosine",
    "weight_decay": 0.0001,
    "threads": 0,
    "max_restarts": 3,
    "stall_timeout": 600,
    "device": "auto",
    "precision": "fp32",
    "recovery_epochs": 0,
    "kd_alpha": 0.0,
    "kd_temperature": 2.0,
}
"""Parameters every kind understands. ``patience`` 0 is no early stopping, ``threads`` 0 is an even
share of the cores, ``stall_timeout`` is in seconds. ``precision`` is ``fp32``, or ``bf16`` for
matrix products where the hardware has it (about twice as fast). ``recovery_epochs`` (0: half of ``epochs``) is
how long a pruned network is tuned; ``kd_alpha`` is the share of the loss that follows the parent's
outputs there, softened by ``kd_temperature``."""

_ALIASES = {"learning_rate": "lr", "batch": "batch_size", "batchsize": "batch_size"}
PRECISIONS = ("fp32", "bf16")
_ONE_PARSES = threading.Lock()
"""Before 3.11.8 and 3.12.2 the interpreter counts the depth of all trees that threads build in one place and
fails when it finds it changed (python/cpython#106905); looks run side by side."""
_POSITIVE = ("epochs", "lr", "batch_size", "stall_timeout")


@dataclass(frozen=True, slots=True)
class Outline:
    """What a kind's file says about itself, read without running it."""

    file: Path
    digest: str
    """sha256 of the Python files beside it."""
    defaults: Mapping[str, Json] = field(default_factory=dict[str, "Json"])
    search: Mapping[str, Json] = field(default_factory=dict[str, "Json"])
    student: Mapping[str, Json] = field(default_factory=dict[str, "Json"])
    entry_point: str | None = None


def spec_of(fleet: Fleet, model: str) -> ModelSpec:
    """The model's entry in steward.yaml; raises ``BadArguments`` with the nearest names."""
    from tools.errors import unknown

    for spec in fleet.models.values():
        if model == spec.name or model in spec.aliases:
            return spec
    raise unknown("model", model, fleet.models, "模型")


def outline(spec: ModelSpec) -> Outline:
    """Read a kind's file; raises ``BadArguments`` naming what is missing and where."""
    file = (spec.root / spec.module).resolve()
    if not file.is_file():
        raise BadArguments(
            f"The code of model {spec.name!r} is not at {file}; correct models.{spec.name}.module.",
            f"模型 {spec.name!r} 的代码不在 {file}；请改正 models.{spec.name}.module。",
        )
    try:
        source = file.read_text(encoding="utf-8")
        with _ONE_PARSES:
            tree = ast.parse(source, str(file))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        why = str(error) or "nested too deeply"
        raise BadArguments(
            f"{file}, line {line}: {spec.name}'s code is not valid Python ({why}).",
            f"{file} 第 {line} 行：模型 {spec.name} 的代码不是有效的 Python（{why}）。",
        ) from None
    constants = _constants(tree)
    entry = constants.get("entry_point")
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    missing = [name for name in ("build", "data") if name not in functions]
    if missing:
        raise BadArguments(
            f"{file} has no function {' and '.join(missing)}; see docs/models.md.",
            f"{file} 里没有函数 {'、'.join(missing)}；见 docs/models.md。",
        )
    return Outline(
        file,
        code_digest(file),
        _mapping(constants.get("defaults")),
        _mapping(constants.get("search")),
        _mapping(constants.get("student")),
        str(entry) if entry else None,
    )


def _constants(tree: ast.Module) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def _mapping(value: Any) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}


def code_digest(file: Path) -> str:
    """sha256 over the Python files in the folder of a kind."""
    digest = hashlib.sha256()
    for source in sorted(file.parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def parameters(
    spec: ModelSpec, said: Outline, chosen: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """Every parameter of a run: built-in, the kind's, steward.yaml's, then what was asked for.

    Raises:
        BadArguments: an unknown name (with what there is) or an impossible value.
    """
    merged: dict[str, Json] = {**TRAINING, **said.defaults, **spec.params}
    for raw, value in (chosen or {}).items():
        name = _ALIASES.get(raw, raw)
        if name not in merged:
            raise BadArguments(
                f"{spec.name} has no parameter {raw!r}; it has {', '.join(sorted(merged))}.",
                f"{spec.name} 没有参数 {raw!r}；可用参数：{'、'.join(sorted(merged))}。",
            )
        merged[name] = _like(name, value, merged[name])
    for name in _POSITIVE:
        value = merged[name]
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise BadArguments(
                f"{name} = {value!r} is not accepted: it must be a number above 0.",
                f"参数 {name} = {value!r} 不可用：必须是大于 0 的数。",
            )
    if merged["precision"] not in PRECISIONS:
        raise BadArguments(
            f"precision = {merged['precision']!r} is not accepted: write fp32 or bf16.",
            f"参数 precision = {merged['precision']!r} 不可用：请写 fp32 或 bf16。",
        )
    return merged


def _like(name: str, value: Json, example: Json) -> Json:
    """``value`` in the type of the default: 5.0 becomes 5 where the default is an integer."""
    if isinstance(example, bool) or isinstance(value, bool):
        fits = isinstance(example, bool) and isinstance(value, bool)
    elif isinstance(example, int):
        fits = isinstance(value, int | float) and float(value).is_integer()
        value = int(value) if fits and isinstance(value, int | float) else value
    elif isinstance(example, float):
        fits = isinstance(value, int | float)
        value = float(value) if isinstance(value, int | float) else value
    else:
        fits = isinstance(value, str) or example is None
    if not fits:
        raise BadArguments(
            f"{name} = {value!r} is not accepted: write a value like {example!r}.",
            f"参数 {name} = {value!r} 不可用：请写成类似 {example!r} 的值。",
        )
    return value


def refuse_without(packages: Mapping[str, str], purpose: str, zh: str = "") -> None:
    """Raise ``Refused`` when an optional package is missing; ``packages`` is module → pip name."""
    from importlib.util import find_spec

    missing = [pip for module, pip in packages.items() if find_spec(module) is None]
    if missing:
        names = " ".join(missing)
        raise Refused(
            f"{purpose} needs {names}; install it: pip install 'model-steward[models]'.",
            f"{zh or purpose} 需要 {names}；请安装：pip install 'model-steward[models]'。",
        )
