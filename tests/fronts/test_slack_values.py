"""The pure parts of the Slack front, with whatever text the world may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Unreadable
from agent.events import Action, Seen
from agent.fronts.slack_cards import card, details
from agent.fronts.slack_files import allowed, charts
from agent.fronts.slack_options import read_options
from agent.fronts.slack_payloads import Access, Ignored, Said, from_json, parse, to_json
from agent.fronts.slack_text import mrkdwn, report, said, shorten
from tests.door.toy import ANA
from tests.fronts.rooms import make_assistant
from tools.contract import Call
from tools.fleet import Person

NASTY = st.text(
    st.sampled_from('<>&!@#*_~`|\\"\n\t\u202e\u200b\x1b漢aZ9 ') | st.characters(), max_size=400
)


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Action:
    door = make_assistant(tmp_path_factory.mktemp("home")).door
    return door.propose(Call("set_value", {"value": 5}), ANA, "c", "k")


def texts(blocks: Any, kind: str) -> Iterator[str]:
    if isinstance(blocks, dict):
        if blocks.get("type") == kind and isinstance(blocks.get("text"), str):
            yield blocks["text"]
        for value in blocks.values():
            yield from texts(value, kind)
    elif isinstance(blocks, list):
        for value in blocks:
            yield from texts(value, kind)


@given(NASTY, NASTY, NASTY, st.sampled_from(["en", "zh"]))
def test_nothing_on_a_card_is_markup(
    action: Action, title: str, diff: str, value: str, lang: Any
) -> None:
    plan = replace(action.plan, title=title, diff=diff, blast_radius=value, undo=value * 30)
    evil = replace(action, plan=plan, call=Call("set_value", {"mood": value}), reason=value)
    text, blocks = card(evil, lang)
    assert "<" not in text
    for markup in texts(blocks, "mrkdwn"):
        assert markup.count("<") == markup.count("<!date^") == 1
    assert json.dumps(value, ensure_ascii=False)[1:5].strip("\\u") in json.dumps(
        blocks, ensure_ascii=False
    ) or any(ord(c) > 126 or ord(c) < 32 for c in value[:5])
    for shown in (*texts(blocks, "plain_text"), *texts(blocks, "text")):
        assert 0 < len(shown) <= 3_000
        assert not set(shown) & set("\u202e\u200b\x1b\x00")
    assert len(blocks) <= 50
    assert len(details(evil, lang)["blocks"]) <= 100


def test_a_call_too_long_for_the_card_says_so_and_details_have_it(action: Action) -> None:
    long = "x" * 50 + "\n"
    big = replace(action, plan=replace(action.plan, diff=long * 200 + "the end"))
    assert "Details shows all of it" in json.dumps(card(big, "en")[1])
    assert "the end" in json.dumps(details(big, "en"))


@given(NASTY, st.sampled_from(["offline", "model"]))
def test_no_answer_is_markup(text: str, brain: Any) -> None:
    shown = mrkdwn(text, brain)
    assert "<" not in shown
    assert ">" not in shown


@given(NASTY, st.integers(20, 100))
def test_shortening_keeps_the_limit(text: str, limit: int) -> None:
    short, cut = shorten(text, limit, "… more")
    assert len(short) <= limit
    assert cut == (len(text) > limit)


def test_what_a_person_wrote_is_read_as_they_meant_it() -> None:
    text = (
        "<@UBOT> ask <@UBOB> and <@UX|x> in <#C1|general>, &lt;b&gt; <!here> <mailto:a@b.c|a@b.c>"
    )
    names = {"UBOB": "bob"}
    assert said(text, "UBOT", names.get) == "ask @bob and @x in #general, <b> @here mailto:a@b.c"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "event", "user", "actions", "value", "channel", "ts", "text", "team"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(["event_callback", "block_actions", "view_submission", None]),
)
def test_no_payload_is_an_error(body: Any, kind: Any) -> None:
    payload = {**body, "type": kind} if isinstance(body, dict) else {"type": kind, "event": body}
    incoming = parse(payload, "UBOT")
    if not isinstance(incoming, Ignored):
        assert from_json(json.loads(json.dumps(to_json(incoming)))) == incoming


def test_access_fails_closed() -> None:
    heard = Said("T1", "C1", "UANA", "x", "1.1", "1.1", direct=False, mention=True)
    people = {"ana": Person("ana", slack="UANA"), "bot": Person("bot")}
    options = read_options({"workspaces": ["T1"]})
    assert options.access("T9", people).refusal(heard, {}) is None
    assert read_options({}).access("", people).refusal(heard, {}) == "workspace"
    assert read_options({"users": []}).access("T1", people).refusal(heard, {}) == "user"
    assert Access(frozenset(), None).refusal(replace(heard, team=""), {}) == "workspace"
    assert read_options({"users": "everyone"}).access("T1", {}).refusal(heard, {}) is None
    foreign = {"event": {"user_team": "T2"}}
    assert options.access("T1", people).refusal(heard, foreign) == "workspace"


@pytest.mark.parametrize(
    "section",
    [{"users": "all"}, {"mode": "carrier pigeon"}, {"workspace": ["T1"]}, {"workers": 0}],
)
def test_options_must_be_readable(section: Any) -> None:
    with pytest.raises(Unreadable, match="slack"):
        read_options(section)


def test_only_pictures_inside_the_home_leave(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    (home / "charts").mkdir(parents=True)
    outside.mkdir()
    good = home / "charts/a.png"
    good.write_bytes(b"png")
    (outside / "secret.png").write_bytes(b"secret")
    (home / "steward.db").write_bytes(b"db")
    (home / "link.png").symlink_to(outside / "secret.png")
    (home / "db.png").symlink_to(home / "steward.db")
    (home / "loop.png").symlink_to(home / "loop.png")
    assert allowed(good, home) == good.resolve()
    for path in (
        home / "charts/../../outside/secret.png",
        outside / "secret.png",
        home / "link.png",
        home / "db.png",
        home / "loop.png",
        home / "steward.db",
        home / "missing.png",
        Path("/etc/passwd"),
        Path("/dev/stdin.png"),
        home / "a\x00.png",
    ):
        assert allowed(path, home) is None
    data: Any = {"chart": str(good), "more": [{"p": str(home / "link.png")}, str(good)]}
    seen = [Seen(Call("plot_metric", {}), "x", data, True, 0.1)]
    assert charts(seen, home) == [good.resolve()]


def test_a_report_has_headings_and_no_markup_of_others() -> None:
    offline = "All is well.\n\nChanges\n- #1 done: <!channel>\n  x\n\nGPUs: none."
    shown = "All is well.\n\n*Changes*\n- #1 done: &lt;!channel&gt;\n  x\n\nGPUs: none."
    assert report(offline) == shown
    model = "**All is well.**\n\n## Changes\n- see [here](https://x.test/a)"
    assert report(model) == "*All is well.*\n\n*Changes*\n- see here (https://x.test/a)"


def test_a_folded_first_sentence_is_one_again() -> None:
    folded = "Most likely (98%): A replica was killed from outside. This is about ReplicasMismatch"
    assert mrkdwn(f"{folded}\non digits.\nEvidence:\n- x", "offline") == (
        f"{folded} on digits.\n```\nEvidence:\n- x\n```"
    )
    assert mrkdwn("name  version\nx  1", "offline") == "name  version\n```\nx  1\n```"
