"""Whether what models are asked still looks like what they learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.actions.wording import cut
from tools.contract import as_json
from tools.errors import BadArguments, Refused, Unavailable
from tools.summary.part import Look, Part, Remark
from tools.words import Said

TITLE = Said("Drift", "漂移")


def collect(look: Look) -> Part | None:
    """One line per model that has versions and enough traffic; nothing where none has."""
    lines: list[Said] = []
    remarks: list[Remark] = []
    for model in _served(look):
        said = _look_at(look, model)
        if said is None:
            continue
        line, drifted = said
        lines.append(line)
        if drifted:
            words = Said(f"the inputs of {model} have drifted", f"{model} 的输入出现漂移")
            remarks.append(Remark("problem", words))
    return Part("drift", TITLE, tuple(lines), tuple(remarks)) if lines else None


def _served(look: Look) -> Sequence[str]:
    return [m for m in look.world.fleet.models if look.world.registry.versions(m)]


def _look_at(look: Look, model: str) -> tuple[Said, bool] | None:
    from tools.models.insight import check_drift

    if check_drift.read is None:
        return None
    hours = max(1, round((look.until - look.since).total_seconds() / 3600))
    try:
        finding = check_drift.read(look.world, model=model, window=f"{hours}h")
    except (BadArguments, Unavailable, Refused):
        return None  # no traffic or no reference to compare: nothing to report about
    facts = as_json(finding)
    drifted = isinstance(facts, Mapping) and bool(facts.get("drifted"))
    en, zh = (cut(f"{model}: {finding.say(lang).splitlines()[0]}", 98) for lang in ("en", "zh"))
    return Said(en, zh), drifted
