"""send_notice as a change, against a real webhook, a real mail server and a real file."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from tests.notices.servers import MailServer, Webhook
from tests.notices.world import notifying_world
from tests.support import FakeClock, RecordingAct, carry_out
from tools.contract import Change, Happened, Irreversible, Plan, as_json
from tools.errors import BadArguments, Cancelled, Failed
from tools.notices import through_apprise
from tools.notices.base import notices
from tools.notices.listing import list_notices
from tools.notices.rows import Outbox
from tools.notices.sending import SendNotice
from tools.world import World

TEXT = "gpu-node-05 is down for repair\nback at 14:00"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def change() -> Change[object]:
    assert SendNotice.change is not None
    return SendNotice.change


def plan(world: World, target: str, text: str = TEXT) -> Plan:
    return change().plan(world, SendNotice.bind({"target": target, "text": text}))


def hook_world(tmp_path: Path, clock: FakeClock, hook: Webhook) -> World:
    return notifying_world(tmp_path, {"targets": {"hook": {"url": hook.url()}}}, clock)


def test_the_plan_shows_the_exact_text_and_a_masked_address(
    tmp_path: Path, clock: FakeClock
) -> None:
    with Webhook() as hook:
        world = hook_world(tmp_path, clock, hook)
        shown = plan(world, "hook")
        assert shown.diff.splitlines() == [
            f"to hook (webhook, json://127.0.0.1:{hook.port}/•••):",
            "+ gpu-node-05 is down for repair",
            "+ back at 14:00",
        ]
        assert "hook-path-secret" not in repr(shown)
        assert hook.seen == []
        assert plan(world, "HOOK") == shown
    assert isinstance(change().undo, Irreversible)


def test_a_webhook_gets_it_once_with_the_id_in_its_header(tmp_path: Path, clock: FakeClock) -> None:
    with Webhook() as hook:
        world = hook_world(tmp_path, clock, hook)
        _, outcome, verdict = carry_out(world, SendNotice, "act-1", target="hook", text=TEXT)
        assert verdict.ok
        change().apply(world, plan(world, "hook"), RecordingAct("act-1"))
        (seen,) = hook.seen
        assert json.loads(seen.body)["message"] == TEXT
        assert seen.headers["X-Steward-Notice"] == outcome.details["notice"]
        assert seen.headers["Idempotency-Key"] == outcome.details["notice"]


def test_mail_arrives_with_the_id(tmp_path: Path, clock: FakeClock) -> None:
    with MailServer() as server:
        world = notifying_world(tmp_path, {"targets": {"mail": {"url": server.url()}}}, clock)
        assert "e-mail" in plan(world, "mail").title
        _, outcome, verdict = carry_out(world, SendNotice, target="mail", text=TEXT)
        assert verdict.ok
        (mail,) = server.seen
        assert "gpu-node-05 is down for repair" in mail.body
        assert mail.headers["X-Steward-Notice"] == outcome.details["notice"]


def test_an_action_taken_up_inside_a_send_waits_for_the_lease_and_marks_the_repeat(
    tmp_path: Path, clock: FakeClock
) -> None:
    with MailServer() as server:
        world = notifying_world(tmp_path, {"targets": {"mail": {"url": server.url()}}}, clock)
        notice = notices(world).send("act-1", "mail", TEXT)
        assert Outbox(world.store).take(notice, "a process that died", clock.now())
        begun = clock.now()
        what = plan(world, "mail")
        outcome = change().apply(world, what, RecordingAct("act-1"))
        assert change().verify(world, what, outcome, RecordingAct("act-1")).ok
        assert timedelta(seconds=60) < clock.now() - begun < timedelta(seconds=62)
        (mail,) = server.seen
        assert mail.headers["X-Steward-Notice"] == notice.id
        assert f"[notice {notice.id}, attempt 2: it may have reached you before]" in mail.body


def test_services_that_tell_repeats_are_given_the_id(clock: FakeClock) -> None:
    apprise = pytest.importorskip("apprise")
    service = apprise.Apprise.instantiate("goalert://token@alerts.example.com/")
    through_apprise._carry_id(service, "n1")
    assert service.dedup == "n1"
    service = apprise.Apprise.instantiate("goalert://token@alerts.example.com/?dedup=mine")
    through_apprise._carry_id(service, "n1")
    assert service.dedup == "mine"


def test_a_file_gets_it_once_however_often_it_is_tried(tmp_path: Path, clock: FakeClock) -> None:
    world = notifying_world(tmp_path, {"targets": {"log": {"file": "out/notices.log"}}}, clock)
    for _ in range(3):
        change().apply(world, plan(world, "log"), RecordingAct("act-1"))
    said = (tmp_path / "out/notices.log").read_text()
    assert said.count("gpu-node-05 is down for repair\nback at 14:00\n") == 1


def test_without_a_section_there_is_the_file(tmp_path: Path, clock: FakeClock) -> None:
    world = notifying_world(tmp_path, None, clock)
    _, _, verdict = carry_out(world, SendNotice, target="file", text="hello")
    assert verdict.ok
    assert "hello" in (tmp_path / "notices.log").read_text()


def test_a_passing_fault_is_tried_again_within_the_action(tmp_path: Path, clock: FakeClock) -> None:
    with Webhook(answers=[503, 429]) as hook:
        world = hook_world(tmp_path, clock, hook)
        _, _, verdict = carry_out(world, SendNotice, target="hook", text=TEXT)
        assert verdict.ok
        assert "at attempt 3" in verdict.evidence
        assert len(hook.seen) == 3


def test_a_lasting_fault_is_not_verified_and_says_until_when(
    tmp_path: Path, clock: FakeClock
) -> None:
    with Webhook(answers=[503] * 10) as hook:
        world = hook_world(tmp_path, clock, hook)
        _, outcome, verdict = carry_out(world, SendNotice, "act-1", target="hook", text=TEXT)
        assert outcome.summary == "queued to hook"
        assert not verdict.ok
        assert verdict.cause == "not delivered yet"
        assert verdict.evidence.startswith("queued, will retry until Tue 2026-11-24 03:00 UTC.")
        assert "hook answered HTTP 503." in verdict.evidence
        hook.answers.clear()
        clock.time += timedelta(minutes=1)
        assert notices(world).drain() == 1
        assert change().verify(world, plan(world, "hook"), outcome, RecordingAct("act-1")).ok


def test_a_refusal_fails_at_once(tmp_path: Path, clock: FakeClock) -> None:
    with Webhook(answers=[401]) as hook:
        world = hook_world(tmp_path, clock, hook)
        with pytest.raises(Failed, match=r"hook refused it \(HTTP 401\)"):
            carry_out(world, SendNotice, "act-1", target="hook", text=TEXT)
        clock.time += timedelta(hours=1)
        assert notices(world).drain() == 0
        assert len(hook.seen) == 1


def test_a_cancelled_action_sends_nothing_later(tmp_path: Path, clock: FakeClock) -> None:
    with Webhook(answers=[503]) as hook:
        world = hook_world(tmp_path, clock, hook)
        act = RecordingAct("act-1")
        act.cancelled = True
        with pytest.raises(Cancelled):
            change().apply(world, plan(world, "hook"), act)
        clock.time += timedelta(hours=1)
        assert notices(world).drain() == 0


def test_happened_answers_a_crash(tmp_path: Path, clock: FakeClock) -> None:
    world = notifying_world(tmp_path, None, clock)
    shown = plan(world, "file")
    assert change().happened(world, shown, "act-1") is Happened.NO
    notices(world).send("act-1", "file", TEXT)
    assert change().happened(world, shown, "act-1") is Happened.YES
    change().apply(world, shown, RecordingAct("act-1"))
    assert (tmp_path / "notices.log").read_text().count("gpu-node-05") == 1


@pytest.mark.parametrize(
    ("target", "text", "fault"),
    [("hok", "x", "Did you mean hook"), ("hook", "  ", "needs a text")],
)
def test_nonsense_is_refused(
    tmp_path: Path, clock: FakeClock, target: str, text: str, fault: str
) -> None:
    world = notifying_world(tmp_path, {"targets": {"hook": {"url": "json://h/x"}}}, clock)
    with pytest.raises(BadArguments, match=fault):
        plan(world, target, text)


@pytest.mark.parametrize("address", ["http://169.254.169.254/latest", "mailto://x@y.z", "#nope"])
def test_only_targets_of_the_fleet_are_addressed(
    tmp_path: Path, clock: FakeClock, address: str
) -> None:
    world = notifying_world(tmp_path, None, clock)
    with pytest.raises(BadArguments, match="no notice target"):
        plan(world, address)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("wecom://topsecretkey", "Pushplus"),
        ("topsecretkey", "not a notification URL"),
        ("nosuchservice://topsecretkey", "not understood"),
    ],
)
def test_a_wrong_url_is_told_without_showing_it(
    tmp_path: Path, clock: FakeClock, url: str, fault: str
) -> None:
    world = notifying_world(tmp_path, {"targets": {"t": {"url": url}}}, clock)
    with pytest.raises((BadArguments, Failed), match=fault) as caught:
        plan(world, "t")
    assert "topsecretkey" not in str(caught.value)


def test_a_slack_channel_waits_for_the_service(tmp_path: Path, clock: FakeClock) -> None:
    world = notifying_world(tmp_path, None, clock, slack=True)
    assert "steward serve" in plan(world, "#ml-oncall").warnings[0]
    _, outcome, verdict = carry_out(world, SendNotice, "act-1", target="#ml-oncall", text=TEXT)
    assert not verdict.ok
    sent: list[str] = []
    service = notifying_world(tmp_path, None, clock, slack=True)
    notices(service).deliver_with("slack", lambda n: sent.append(f"{n.target} {n.id}"))
    assert notices(service).drain() == 1
    assert sent == [f"#ml-oncall {outcome.details['notice']}"]


def test_secrets_appear_nowhere(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Webhook(answers=[500, 500]) as hook:
        url = f"json://user:s3cretpassword@127.0.0.1:{hook.port}/s3cretpath?+X-Key=s3cretheader"
        targets = {"hook": {"url": url}, "dead": {"url": "json://u:s3cretdead@127.0.0.1:9/s3cret"}}
        world = notifying_world(tmp_path, {"targets": targets}, clock)
        said = [repr(plan(world, "hook"))]
        for target in ("hook", "dead"):
            shown, outcome, verdict = carry_out(world, SendNotice, target, target=target, text="t")
            said += [repr(shown), repr(outcome), repr(verdict)]
        assert list_notices.read is not None
        found = list_notices.read(world)
        said += [found.say("en"), found.say("zh"), json.dumps(as_json(found))]
        assert "s3cretheader" in hook.seen[0].headers.values()
    world.store.close()
    said += [record.getMessage() for record in caplog.records]
    said += [path.read_bytes().decode(errors="replace") for path in tmp_path.glob("steward.db*")]
    assert not [text for text in said if "s3cret" in text]


def test_a_url_kept_elsewhere(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Webhook() as hook:
        (tmp_path / "hook.url").write_text(hook.url() + "\n")
        monkeypatch.setenv("TEST_HOOK_URL", hook.url())
        targets = {
            "from-file": {"url_file": str(tmp_path / "hook.url")},
            "from-env": {"url_env": "TEST_HOOK_URL"},
            "missing": {"url_env": "TEST_HOOK_URL_THAT_IS_NOT_SET"},
        }
        world = notifying_world(tmp_path, {"targets": targets}, clock)
        for target in ("from-file", "from-env"):
            assert carry_out(world, SendNotice, target, target=target, text="t")[2].ok
        shown, _, verdict = carry_out(world, SendNotice, "m", target="missing", text="t")
        assert "TEST_HOOK_URL_THAT_IS_NOT_SET" in shown.warnings[0]
        assert not verdict.ok
        assert "is not set" in verdict.evidence


def test_the_list_says_what_waits(tmp_path: Path, clock: FakeClock) -> None:
    with Webhook(answers=[500] * 9) as hook:
        world = hook_world(tmp_path, clock, hook)
        carry_out(world, SendNotice, target="hook", text=TEXT)
        assert list_notices.read is not None
        said = list_notices.read(world).say("en").splitlines()
        assert said[0] == "Of the last 1 notices 1 wait and 0 failed."
        assert "hook: queued, next try 03:00: gpu-node-05 is down for repair" in said[1]
        assert "hook answered HTTP 500." in said[2]
