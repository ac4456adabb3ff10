"""Targets that have no name: this machine, its kernel, one of its GPUs; and images that name two things."""

from __future__ import annotations

from agent.offline.filling.sheet import Sheet
from agent.offline.text import pattern as compiled

_KERNEL = compiled(r"\b(?:kernel|dmesg)\b|内核")
_ABOUT_KERNEL = compiled(
    r"\bkernel(?:'s)? (?:events?|messages?|logs?)\b|\bevents?\b[^,;?]{0,16}\bkernel\b|(?:内核|\bkernel ?)(?:这边)?[^,;?]{0,10}?(?:日志|事件|有没有)"
)
_ABOUT_HOST = compiled(
    r"\b(?:of|on|for|from|at) (?:this|the) (?:machine|host|box|server)\b|\bhosts?(?:'s)? (?:events?|history|timeline)\b"
    r"|(?<![a-z0-9-])host ?(?:上|的)|主机|本机|这台(?:机器|服务器)"
)
_HOST = compiled(
    r"\b(?:(?:this|the) (?:machine|host|box|server)|localhost|host)\b|主机|本机|这台(?:机器|服务器)"
)


def named(low: str) -> bool:
    """Does the text speak of this machine or its kernel?"""
    return bool(_KERNEL.search(low) or _HOST.search(low))


def of_image(sheet: Sheet) -> None:
    """``build ranker:5`` names the model and the version at once."""
    found = {p.word: p for p in sheet.form.tool.parameters}
    if not {"model", "version"} <= found.keys() or found["model"].name in sheet.done.args:
        return
    image = next((m for m in sheet.material.mentions if "image" in m.means), None)
    if image:
        model, _, tag = str(image.value).rsplit("/", 1)[-1].partition(":")
        sheet.put(found["model"], model, image)
        sheet.put(found["version"], tag.removeprefix("v"), image)


def machine(sheet: Sheet) -> None:
    """This machine, its kernel or one of its GPUs as a target."""
    target = next((p for p in sheet.form.tool.parameters if p.word == "target"), None)
    if target is None or target.name in sheet.done.args or sheet.form.pair & sheet.done.args.keys():
        return
    low = sheet.material.text.low
    gpu = next((m for m in sheet.material.mentions if m.kind == "gpu"), None)
    needed = target.required or sheet.form.pair
    if gpu and (needed or "gpu" not in {p.word for p in sheet.form.tool.parameters}):
        sheet.put(target, f"gpu:{gpu.value}", gpu)
    elif (_KERNEL if needed else _ABOUT_KERNEL).search(low):
        sheet.put(target, "kernel")
    elif (_HOST if needed else _ABOUT_HOST).search(low):
        sheet.put(target, "host")
