"""``steward``: the command line. Parses, then hands over to one file of :mod:`agent.commands`.

Exit status: 0 answered or done, 1 failed, 2 wrong usage, 3 a change was proposed and waits,
130 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
from collections.abc import Sequence

from agent.commands.exits import FAILED, INTERRUPTED, USAGE

EPILOG = """exit status: 0 answered or done, 1 failed, 2 wrong usage, 3 proposed (a change waits)

environment: STEWARD_HOME (state), STEWARD_FLEET, STEWARD_DATABASE (Postgres URL),
STEWARD_MODEL and STEWARD_BASE_URL (any OpenAI-compatible endpoint); see docs/settings.md"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--fleet", metavar="FILE", help="the fleet file (default ./steward.yaml)")
    top = argparse.ArgumentParser(
        prog="steward",
        description="On-call assistant for teams that train and serve models. It looks, explains "
        "and proposes; a change happens only after a person said yes to exactly that change.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[common], help=help, description=help)

    chat = add("chat", "interactive chat in this terminal")
    chat.add_argument("--new", action="store_true", help="begin a new conversation")
    ask = add("ask", "one question, one answer; prints proposals with their numbers")
    ask.add_argument("question", nargs="+")
    ask.add_argument("--json", action="store_true", help="one JSON document on stdout")
    ask.add_argument("--new", action="store_true", help="without the earlier conversation")
    ask.add_argument("--conversation", metavar="NAME", help="continue (or begin) this one")
    plan = add("plan", "what would be called, without touching the world")
    plan.add_argument("request", nargs="*")
    plan.add_argument("--batch", metavar="FILE", help="one request a line; one JSON a line out")
    plan.add_argument("--json", action="store_true", help="(plan always prints JSON)")
    _actions(add("actions", "the ledger: proposals, decisions, outcomes"))
    incidents = add("incidents", "what fires together, and who has it")
    incidents.add_argument("--json", action="store_true", help="one JSON document on stdout")
    held = incidents.add_subparsers(dest="verb", metavar="VERB")
    held.add_parser("list", help="those that fire, and those that ended lately")
    have = held.add_parser("have", help="I have it: nobody further is called")
    have.add_argument("number", type=int)
    summary = add("summary", "the status summary now")
    summary.add_argument("--window", default="24h", help="how far back (default 24h)")
    summary.add_argument("--to", metavar="TARGET", help="send it to a notice target")
    summary.add_argument("--json", action="store_true")
    add("serve", "the service: Slack, alerts, schedules, HTTP API, own metrics")
    mcp = add("mcp", "the tools over MCP, behind the same door")
    mcp.add_argument("--http", metavar="HOST:PORT", help="serve HTTP instead of stdio")
    tools = add("tools", "the catalogue of tools")
    tools.add_argument("--json", action="store_true")
    doctor = add("doctor", "what is configured, reachable, missing, and how to mend it")
    doctor.add_argument("--json", action="store_true")
    evaluate = add("eval", "score the configured brain on a file of requests")
    evaluate.add_argument("file", nargs="*", help="JSON lines (default: the development set)")
    evaluate.add_argument("--json", action="store_true")
    return top


def _actions(actions: argparse.ArgumentParser) -> None:
    actions.add_argument("--json", action="store_true", help="one JSON document on stdout")
    verbs = actions.add_subparsers(dest="verb", metavar="VERB")
    listing = verbs.add_parser("list", help="newest first")
    listing.add_argument("--state", help="only this state, or 'waiting'")
    listing.add_argument("--since", metavar="WINDOW", help="changed within, such as 24h")
    for verb, help in (
        ("show", "one action, whole"),
        ("approve", "say yes to it, and carry it out"),
        ("reject", "say no"),
        ("cancel", "withdraw it, or ask it to stop"),
        ("undo", "propose its undo"),
        ("settle", "say whether an action of unknown outcome took effect"),
    ):
        one = verbs.add_parser(verb, help=help)
        one.add_argument("number", type=int)
        if verb == "approve":
            one.add_argument("--digest", help="only if the action has this digest (or prefix)")
            one.add_argument("--detach", action="store_true", help="do not wait for the outcome")
        if verb == "reject":
            one.add_argument("--reason", default="")
        if verb == "settle":
            one.add_argument("--happened", choices=["yes", "no"], required=True)
    verbs.add_parser("verify", help="prove that nothing in the ledger was altered")
    verbs.add_parser("export", help="every line of the ledger as JSON lines")
    verbs.add_parser("reset", help="close the circuit breaker")
    run = verbs.add_parser("run")
    run.add_argument("number", type=int)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every failure is one sentence on stderr."""
    options = parser().parse_args(argv)
    if options.command is None:
        parser().print_help()
        return USAGE
    # Loading makes a million objects that stay; collecting among them costs a tenth of the start.
    gc.set_threshold(100_000, 20, 20)
    from tools.errors import ToolError

    try:
        module = importlib.import_module(f"agent.commands.{options.command}")
        return int(module.run(options))
    except ToolError as error:
        return _say(error.en, FAILED)
    except KeyboardInterrupt:
        return _say("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except Exception as error:  # noqa: BLE001  the last wall: no traceback ever reaches a person
        from agent.commands.crash import keep

        return _say(keep(error), FAILED)


def _say(sentence: str, status: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"steward: {sentence}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
