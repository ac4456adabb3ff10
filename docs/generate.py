"""Docs that cannot lie: the tool table, the command line and the settings, from the program.

``python docs/generate.py`` writes them, ``--check`` fails when one is out of date.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "<!-- Written by docs/generate.py; do not edit. -->\n"


def tools_page() -> str:
    """One row a tool: effect, arguments, what it does, how one may ask."""
    from tools.catalog import TOOLS

    lines = [HEAD, "# Tools\n", "`read` only looks. `change` and `destroy` are only proposed.\n"]
    lines += ["| tool | effect | what it does | ask, for example |", "|---|---|---|---|"]
    for tool in sorted(TOOLS, key=lambda t: (t.effect.value != "read", t.name)):
        names = ", ".join(p.name if p.required else f"{p.name}?" for p in tool.parameters)
        asked = tool.phrases.en[0].replace("|", "\\|")
        summary = tool.summary.replace("|", "\\|")
        lines.append(f"| `{tool.name}({names})` | {tool.effect.value} | {summary} | {asked} |")
    return "\n".join(lines) + "\n"


def command_page() -> str:
    """The help of every command."""
    from agent.cli import parser

    os.environ["COLUMNS"] = "80"
    top = parser()
    parts = [HEAD, "# Command line\n", "```", top.format_help().rstrip(), "```\n"]
    for action in top._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for name, sub in action.choices.items():
            parts += [f"## steward {name}\n", "```", sub.format_help().rstrip(), "```\n"]
    return "\n".join(parts)


PAGES = {"docs/tools.md": tools_page, "docs/command-line.md": command_page}


def main() -> int:
    """Write the pages, or compare them."""
    stale: list[str] = []
    for name, make in PAGES.items():
        with redirect_stdout(io.StringIO()):
            text = make()
        path = ROOT / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
    if stale:
        print(f"out of date: {', '.join(stale)}; run: python docs/generate.py")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
