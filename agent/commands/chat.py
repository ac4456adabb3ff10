"""``steward chat``: the terminal front, with everything heavy loaded while a person reads."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO, cast

from agent.bootstrap import App
from agent.commands.ask import home_conversation, terminal_actor
from agent.commands.exits import OK
from agent.commands.incidents import commands
from agent.fronts.terminal import Terminal
from tools.errors import ToolError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    from agent.assistant import Assistant
    from agent.fronts.notes import IncidentDesk
    from tools.words import Lang


def run(options: argparse.Namespace) -> int:
    """Talk until the person leaves."""
    app = App.start(fleet=options.fleet)
    _make_home(app)
    actor = terminal_actor(app)
    conversation = home_conversation(app)
    if options.new:
        conversation += f":{secrets.token_hex(4)}"
    loaded = _Loading(app)
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    terminal = Terminal(
        assistant=loaded.get,
        actor=actor,
        conversation=conversation,
        lang=cast("Lang", app.fleet.language),
        out=sys.stdout,
        width=min(96, shutil.get_terminal_size((80, 24)).columns),
        interactive=interactive,
        more=commands(lambda: _desk(app), actor.name),
    )
    if interactive:
        _interactive(app, terminal, lambda: loaded.start(terminal))
    else:
        loaded.start(terminal)
        terminal.run((line for line in sys.stdin), _hello(app))
    return OK


def _desk(app: App) -> IncidentDesk:
    from agent.commands.incident_desk import desk_of

    return desk_of(app.world)


def _make_home(app: App) -> None:
    home = app.settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        from agent.errors import Unreadable

        raise Unreadable(
            f"Steward cannot keep its state in {home}: {error.strerror}. "
            "Set STEWARD_HOME to a folder you can write."
        ) from None


def _hello(app: App) -> str:
    fleet = app.fleet
    names = ", ".join(fleet.deployments) or "none"
    models = ", ".join(fleet.models) or "none"
    return (
        f"Steward on {fleet.name}. Brain: {app.brain_line}.\n"
        f"Deployments: {names}. Models: {models}. /help shows how to ask; /quit leaves.\n"
    )


def _interactive(app: App, terminal: Terminal, shown: Callable[[], None]) -> None:
    """Talk with editing and history. ``shown`` is called once the first prompt is on the screen:
    loading any earlier would only take the processor from it."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.patch_stdout import patch_stdout

    slash = [
        "approve",
        "reject",
        "show",
        "actions",
        "cancel",
        "undo",
        "incidents",
        "have",
        "usage",
        "new",
        "help",
        "quit",
    ]
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(app.settings.home / "history")),
        completer=WordCompleter([f"/{s}" for s in slash], sentence=True),
        complete_while_typing=False,
        bottom_toolbar=lambda: terminal.toolbar() or None,
        refresh_interval=0.5,
    )
    once = iter([shown])

    def rendered(_: object) -> None:
        for load in once:
            load()

    session.app.after_render += rendered
    with patch_stdout(raw=False):
        terminal.out = cast("TextIO", Screen(session, sys.stdout))
        terminal.run(_typed(session), _hello(app))


class Screen:
    """Writes above the prompt while there is one, and at once while there is none.

    What stands above a prompt is written a moment later, and a line that has no end yet is lost
    under it; an answer is on the screen before the next prompt begins.
    """

    def __init__(self, session: PromptSession[str], above: TextIO) -> None:
        self._session = session
        self._above = above

    def write(self, text: str) -> int:
        """Show a text; escapes in it are not interpreted."""
        if self._session.app.is_running:
            return self._above.write(text)
        self._session.output.enable_autowrap()
        self._session.output.write(text)
        return len(text)

    def flush(self) -> None:
        """Lines above a prompt are shown when they end."""
        if not self._session.app.is_running:
            self._session.output.flush()


def _typed(session: PromptSession[str]) -> Iterator[str]:
    """What is typed line by line; Ctrl-C clears the line, Ctrl-D ends."""
    while True:
        try:
            yield session.prompt("› ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


class _Loading:
    """The assistant, built in the background; ``get`` waits for it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._ready = threading.Event()
        self._error: BaseException | None = None

    def start(self, terminal: Terminal) -> None:
        """Begin to load, then take up what an earlier process left unfinished."""

        def work() -> None:
            try:
                assistant = self._app.assistant
                assistant.door.ledger.find(limit=1)
            except BaseException as error:  # noqa: BLE001  shown when the person asks something
                self._error = error
                self._ready.set()
                return
            self._ready.set()
            try:
                for action in assistant.reconcile():
                    terminal.announce(action)
                self._watch()
            except ToolError as error:
                terminal.out.write(f"({error.en})\n")

        threading.Thread(target=work, name="loading", daemon=True).start()

    def _watch(self) -> None:
        """Sample this machine while the chat is open, so that answers can say what is usual."""
        from tools.observe.sampler import build_sampler

        build_sampler(self._app.world, rules=False).start()

    def get(self) -> Assistant:
        """The assistant; raises what went wrong while loading."""
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self._app.assistant
