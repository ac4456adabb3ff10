"""A scheduled summary that a language model writes: true ones go out, invented ones do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import settings
from agent.bootstrap import App
from agent.fronts.scheduler import Hands, Scheduler
from tests.support import FakeClock
from tests.thinking.endpoint import Step, calls, fault, says, serving
from tools.notices.base import notices
from tools.schedules.base import schedules
from tools.summary.reporting import summarise

FLEET = """
name: lab
language: {language}
people: {{ana: {{unix: ana}}, mallory: {{unix: mallory}}}}
schedules: {{timezone: UTC, summaries: {{morning: {{when: "0 9 * * *", channel: team}}}}}}
notices: {{targets: {{team: {{file: team.log}}}}}}
"""
LOOK = calls(("status_summary", {"window": "24h"}))
INSTEAD = "The language model's summary said what the facts do not"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def posted(tmp_path: Path) -> Callable[..., str]:
    """What is posted when the model follows a script."""

    def post(*script: Step, language: str = "en") -> str:
        clock = FakeClock(datetime(2026, 11, 23, 8, 59, tzinfo=UTC))
        fleet = tmp_path / "steward.yaml"
        fleet.write_text(FLEET.format(language=language))
        with serving(script) as endpoint:
            environment = {
                "STEWARD_HOME": str(tmp_path / "state"),
                "STEWARD_FLEET": str(fleet),
                "STEWARD_MODEL": "openai:scripted",
                "STEWARD_BASE_URL": endpoint.url,
                "USER": "ana",
            }
            app = App(settings.load(environment))
            app.world.clock = clock
            assert schedules(app.world).claim("met") == []
            clock.time += timedelta(minutes=1)
            hands = Hands(
                slots=schedules(app.world),
                outbox=notices(app.world),
                ask=app.assistant.handle,
                summary=lambda window, lang: summarise(app.world, window).say(lang),
                now=clock.now,
                language=language,  # type: ignore[arg-type]
                names=lambda: app.fleet.people,
            )
            scheduler = Scheduler(hands)
            scheduler.summaries()
            scheduler.notices()
        return (tmp_path / "state" / "team.log").read_text()

    return post


def test_a_true_summary_goes_out_in_the_models_words(posted: Callable[..., str]) -> None:
    said = posted(LOOK, says("**A quiet day.** Nothing waits for approval; no alert fires."))
    assert "A quiet day" in said
    assert INSTEAD not in said


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        ("A quiet day, except that 17 alerts fire.", "17"),
        ("HighLatency fired at 03:12.", "03:12"),
        ("mallory approved action 4.", "mallory"),
        ("The job digits-train-9 failed.", "digits-train-9"),
        ("Seven deployments are degraded.", "seven"),
    ],
)
def test_a_lie_is_replaced_by_the_report(posted: Callable[..., str], lie: str, named: str) -> None:
    said = posted(LOOK, says(lie))
    assert "lab, the last 24 h to Mon 2026-11-23 09:00 UTC" in said
    note = next(line for line in said.splitlines() if INSTEAD in line)
    assert named in note
    assert lie not in said


def test_a_model_that_looked_at_nothing_cannot_report(posted: Callable[..., str]) -> None:
    said = posted(says("All 8 GPUs were busy at 91 %."))
    assert INSTEAD in said
    assert "lab, the last 24 h" in said


def test_in_the_teams_language(posted: Callable[..., str]) -> None:
    said = posted(LOOK, says("昨天有 17 条告警。"), language="zh")
    assert "语言模型写的摘要提到了事实中没有的内容：17" in said


def test_a_dead_model_costs_no_report(posted: Callable[..., str]) -> None:
    said = posted(fault("500"))
    assert "lab, the last 24 h" in said
    assert INSTEAD not in said
