"""Puts the typed pieces of a request into the arguments of a tool."""

from __future__ import annotations

from collections.abc import Mapping

from agent.offline import cues, declared
from agent.offline.filling import machines, moves, names, places, values, words
from agent.offline.filling.sheet import NAMES, Filled, Form, Material, Sheet
from tools.contract import Parameter, Tool

__all__ = ["NAMES", "Filled", "Filler", "Material"]


class Filler:
    """Fills one tool."""

    def __init__(self, tool: Tool, placed: Mapping[str, cues.Cue], known: frozenset[str]) -> None:
        self._form = Form.of(tool, placed, known)

    def fill(self, material: Material) -> Filled:
        """All arguments that can be found, and which required ones cannot."""
        sheet = Sheet(self._form, material)
        for parameter in self._form.order:
            _one(sheet, parameter)
        _told_twice(sheet)
        machines.of_image(sheet)
        machines.machine(sheet)
        _listed(sheet)
        sheet.done.missing = tuple(self._missing(sheet))
        sheet.done.unused = tuple(m for m in material.mentions if id(m) not in sheet.used)
        return sheet.done

    def _missing(self, sheet: Sheet) -> list[Parameter]:
        parameters, args = self._form.tool.parameters, sheet.done.args
        missing = self._form.tool.lacking(args)
        if self._form.pair and not self._form.pair & args.keys():
            missing += [p for p in parameters if p.word == "target"]
        kinds = [p.name for p in parameters if p.word == "rule_kind"]
        if (
            kinds and args.get(kinds[0], "threshold") == "threshold" and "enabled" not in args
        ):  # a rule that is no threshold says of what kind it is
            missing += [p for p in parameters if p.word == "number" and p.name not in args]
        return missing


def _listed(sheet: Sheet) -> None:
    """Every number of a list is asked about: ``xids 13 and 45``, ``gpu 2 and gpu 4``."""
    for parameter in sheet.form.tool.parameters:
        numbered = parameter.word if parameter.word in ("xid", "gpu", "action", "sample") else ""
        named = (m for m in sheet.material.mentions if m.kind == numbered)
        further = [str(m.value) for m in next((m.also for m in named if id(m) in sheet.used), ())]
        if further:
            sample = numbered == "sample"
            sheet.done.also[parameter.name] = tuple(v if sample else int(v) for v in further)
        elif parameter.word in NAMES and parameter.name not in sheet.done.also:
            _called_alike(sheet, parameter)


def _called_alike(sheet: Sheet, parameter: Parameter) -> None:
    """The rest of a list whose first name was told by its place: ``规则 low-qps 和 disk-90``."""
    value = sheet.done.args.get(parameter.name)
    for mention in sheet.material.mentions:
        before = "gpu:" if mention.kind == "gpu" else ""
        if mention.also and f"{before}{mention.value}" == value:
            sheet.done.also[parameter.name] = tuple(f"{before}{m.value}" for m in mention.also)


def _told_twice(sheet: Sheet) -> None:
    """An alias is no name of a thing: ``the alias of ranker`` does not say which one."""
    args, parameters = sheet.done.args, sheet.form.tool.parameters
    named = [args[p.name] for p in parameters if p.word in NAMES and p.name in args]
    for parameter in parameters:
        if parameter.word == "alias" and args.get(parameter.name) in named:
            del args[parameter.name]


def _one(sheet: Sheet, parameter: Parameter) -> None:
    closed = declared.choices(parameter)
    if closed:
        words.choice(sheet, parameter, closed)
    elif parameter.word in NAMES:
        names.name(sheet, parameter)
    elif parameter.word == "params":
        values.params(sheet, parameter)
    elif (parameter.word == "sample" and words.sample(sheet, parameter)) or (
        parameter.word == "alias" and moves.onto(sheet, parameter)
    ):
        return
    elif parameter.word in values.TAKES:
        if parameter.word == "alias":
            places.identifier(sheet, parameter)
        if parameter.name not in sheet.done.args:
            values.typed(sheet, parameter)
    else:
        words.written(sheet, parameter)
