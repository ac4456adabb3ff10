"""Playbooks are data: complete, checked, and extendable."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support import make_world
from tools.alerts.diagnosis import COLLECTORS
from tools.alerts.facts import SPECS
from tools.alerts.library import packaged_sources, playbooks
from tools.alerts.playbook_reader import PlaybookError, parse
from tools.alerts.signatures.rules import categories
from tools.catalog import by_name
from tools.fleet import Fleet

DEPLOY = Path(__file__).parents[2] / "deploy/prometheus"
GOOD = """
causes:
  {cause}:
    en: The vault is sealed
    signs: {{"seen in permission": strong}}
    next: {{en: Ask the vault.}}
    remedy: {{en: Unseal it., risk: low}}
playbooks:
  VaultSealed:
    en: The vault is sealed
    evidence: [alert]
    priors: {{{cause}: 0.9}}
"""


def test_every_alert_rule_has_a_playbook():
    library = parse(packaged_sources())
    shipped = yaml.safe_load((DEPLOY / "steward.rules.yml").read_text("utf-8"))
    rules = [r["alert"] for g in shipped["groups"] for r in g["rules"]]
    assert len(rules) == 74
    assert [name for name in rules if library.of(name) is None] == []
    assert all(
        library.of(f"target/{kind}") for kind in ("deployment", "job", "host", "gpu", "node")
    )


def test_every_embedded_rule_has_a_playbook():
    from tools.observe.rule_store import built_in

    library = parse(packaged_sources())
    assert [name for name in built_in() if library.of(name) is None] == []


def test_everything_a_playbook_names_exists():
    library, tools = parse(packaged_sources()), by_name()
    words = {"log", "seen", "kernel", "job.cause", "deployment.cause", "replica.message"}
    known = categories() | {
        "lost_worker", "stalled", "stalled_loader", "killed_from_outside", "out_of_memory",
        "timeout", "worker_exit", "application_error", "image_pull",
    }  # fmt: skip
    for book in library.all():
        assert set(book.evidence) <= set(COLLECTORS)
    for cause in library.causes.values():
        assert cause.words.zh != cause.words.en, cause.id
        if cause.remedy.tool:
            assert cause.remedy.tool in tools, cause.id
            names = {p.name for p in tools[cause.remedy.tool].parameters}
            assert set(cause.remedy.args) <= names, cause.id
        for sign, _ in cause.signs:
            assert sign.name in SPECS
            if sign.name in words and sign.op == "in":
                assert {str(v) for v in sign.values} <= known, (cause.id, sign.text)


def test_every_fact_has_a_use_or_a_meaning():
    assert all(text for text in SPECS.values())


def test_a_team_adds_its_own(tmp_path: Path):
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "vault.yaml").write_text(GOOD.format(cause="sealed"))
    fleet = Fleet(path=tmp_path / "steward.yaml", sections={"playbooks": ["books"]})
    library = playbooks(make_world(tmp_path / "home", fleet=fleet))
    assert library.of("vaultsealed") is not None
    assert library.of("NodeDown") is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seen in permission", "weather in rain"), "uses 'weather', which no collector provides"),
        (("strong", "enormous"), "weight 'enormous' is none of"),
        (("[alert]", "[crystal_ball]"), "evidence 'crystal_ball' is unknown"),
        (("risk: low", "risk: lethal"), "risk 'lethal' is none of"),
        (("sealed: 0.9", "sealed: 7"), "must be above 0 and at most 1"),
        (("sealed: 0.9", "sealt: 0.9"), "unknown cause 'sealt'"),
        (("next: {en: Ask the vault.}", "next: {}"), "'en' is missing"),
        (("causes:", "cuases:"), "unknown key 'cuases'"),
        (("evidence: [alert]", "evidence: ["), "is not YAML"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(change: tuple[str, str], said: str):
    text = GOOD.format(cause="sealed").replace(*change)
    with pytest.raises(PlaybookError) as caught:
        parse({"vault.yaml": text})
    assert said in caught.value.en
    assert "vault" in caught.value.en.lower()
