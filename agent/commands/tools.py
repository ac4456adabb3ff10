"""``steward tools``: the catalogue."""

from __future__ import annotations

import argparse
import json

from agent.commands.exits import OK


def run(options: argparse.Namespace) -> int:
    """Every tool: name, effect, arguments, what it does."""
    from tools.catalog import TOOLS

    if options.json:
        found = [
            {
                "name": t.name,
                "effect": t.effect.value,
                "summary": t.summary,
                "arguments": t.schema(),
                "phrases": {"en": list(t.phrases.en), "zh": list(t.phrases.zh)},
            }
            for t in TOOLS
        ]
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return OK
    for tool in sorted(TOOLS, key=lambda t: (t.effect.value != "read", t.name)):
        names = ", ".join(p.name if p.required else f"{p.name}?" for p in tool.parameters)
        mark = (
            " " if tool.effect.value == "read" else ("!" if tool.effect.value == "destroy" else "*")
        )
        print(f"{mark} {tool.name}({names})\n      {tool.summary}")
    print("\n* changes something, ! destroys: only proposed, until a person says yes")
    return OK
