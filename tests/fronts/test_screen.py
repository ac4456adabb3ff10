"""Where the terminal chat writes: at once between prompts, above the prompt while one waits."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from agent.commands.chat import Screen


class Output:
    """What a terminal is sent, and what of it was shown."""

    def __init__(self) -> None:
        self.held, self.shown = "", ""

    def enable_autowrap(self) -> None:
        pass

    def write(self, text: str) -> None:
        self.held += text

    def flush(self) -> None:
        self.shown, self.held = self.shown + self.held, ""


def screen(prompting: bool) -> tuple[Screen, Output, io.StringIO]:
    output, above = Output(), io.StringIO()
    session: Any = SimpleNamespace(app=SimpleNamespace(is_running=prompting), output=output)
    return Screen(session, above), output, above


def test_an_answer_is_shown_before_the_next_prompt_even_in_parts():
    out, output, above = screen(prompting=False)
    for part in ("Do you want ", "me to?", "\n"):
        out.write(part)
        out.flush()
    assert output.shown == "Do you want me to?\n"
    assert above.getvalue() == ""


def test_what_comes_while_a_prompt_waits_stands_above_it():
    out, output, above = screen(prompting=True)
    out.write("action 1 is verified\n")
    out.flush()
    assert above.getvalue() == "action 1 is verified\n"
    assert (output.shown, output.held) == ("", "")
