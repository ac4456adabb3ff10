"""XID and SXid lines of the NVIDIA driver: found, and decoded as far as the line allows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.alerts.signatures.base import Line, Role, Signature
from tools.alerts.xids import Nvlink5Rule, nvlink5_rule, sxid, xid

_PCI = r"(?P<pci>(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,2})?(?:\.[0-9a-fA-F])?)"
_XID = re.compile(
    rf"\bXid\s*\((?:PCI:)?{_PCI}(?:[ ,][^)]*)?\)[^:]{{0,40}}:\s*(?P<code>\d{{1,4}})(?![\d.])"
    r"(?:,\s*(?P<rest>.*))?"
)
_XID_OLD = re.compile(r"\bNVRM: Xid:?\s+(?P<code>\d{1,4})(?![\d.])(?:[,:]\s*(?P<rest>.*))?")
_XID_TOLD = re.compile(
    r"\bXid(?:CriticalError)?:?\s*(?:error|code|event)?\s*[=:#]?\s*(?P<code>\d{1,3})\b"
    r"(?=.*?\b(?:GPU|device|unhealthy|detected|error)\b|\s*$)"
    r"|\bXid (?P<code3>\d{1,3}) PCI:[0-9a-fA-F]"
    r"|\b(?:GPU|device)\b.*?\bXid\s*(?:error|code)?\s*[=:#]?\s*(?P<code2>\d{1,3})\b",
    re.IGNORECASE,
)
_FALLEN = re.compile(
    rf"GPU(?: at)?(?: (?:PCI:)?{_PCI})?:?.{{0,60}}has fallen off the bus", re.IGNORECASE
)
_PID = re.compile(r"pid='?([^',]+)'?,\s*name=([^,]+)")
_RECOVERY = re.compile(
    r"recovery action changed.*?to\s+0x[0-9a-fA-F]+\s*\(([^)]*)\)", re.IGNORECASE
)
_CAUSED = re.compile(r"caused by previous Xid (\d+)", re.IGNORECASE)
_UNIT = re.compile(
    r"(?P<unit>[A-Z][A-Z0-9_/]+)\s+(?P<fatal>Fatal|Non-?fatal)\s+XC(?P<xc>\d)\s+i(?P<inst>\d+)"
    r"\s+Link\s+(?P<link>-?\d+)\s*\((?P<words>[0-9a-fA-Fx ,]+)\)",
    re.IGNORECASE,
)
_NVLINK = re.compile(r"link\s+(-?\d+)\s*\((0x[0-9a-fA-F]+(?:,\s*0x[0-9a-fA-F]+)*)\)", re.IGNORECASE)
_SM = re.compile(r"GPC\s*(\d+),?\s*TPC\s*(\d+)(?:,?\s*SM\s*(\d+))?", re.IGNORECASE)
_SXID = re.compile(
    rf"SXid\s*\((?:PCI:)?{_PCI}\)\s*:\s*(?P<code>\d{{4,6}}),?\s*(?P<rest>.*)", re.IGNORECASE
)
_SXID_TOLD = re.compile(
    r"NVSwitch (?P<rest>(?:non-)?fatal) error (?P<code>\d{4,6})\b"
    r"(?:.*?bus id (?P<pci>[0-9a-fA-F:.]+))?(?:.*?\bport (?P<port>\d+))?",
    re.IGNORECASE,
)
"""The fabric manager's own log tells the same errors in other words."""
_FOLLOWERS = frozenset({43, 45})
_STATEMENTS = frozenset({154})
_WATCH = frozenset({37, 38, 44, 63, 66, 67, 92, 93, 121, 141, 152, 153, 157, 160, 161, 163, 164})


def find_xid(line: Line) -> Signature | None:
    """An XID, SXid or fallen-off-the-bus line; ``None`` for everything else and broken ones."""
    body = line.body
    if "Xid" not in body and "xid" not in body and "XID" not in body:
        return _told(line)
    if found := _SXID.search(body):
        return _sxid_signature(line, int(found["code"]), found["pci"], found["rest"])
    if found := _XID.search(body):
        return _xid_signature(line, int(found["code"]), found["pci"], found["rest"] or "")
    if found := _XID_OLD.search(body):
        return _xid_signature(line, int(found["code"]), None, found["rest"] or "")
    if "NVRM" not in body and (found := _XID_TOLD.search(body)):
        return _xid_signature(
            line, int(found["code"] or found["code2"] or found["code3"]), None, ""
        )
    return None


def _told(line: Line) -> Signature | None:
    """The same events where the line names no Xid."""
    body = line.body
    if "fallen off" in body and (fallen := _FALLEN.search(body)):
        return _xid_signature(line, 79, fallen["pci"], body)
    if "NVSwitch" in body and (found := _SXID_TOLD.search(body)):
        link = f" Link {found['port']}" if found["port"] else ""
        return _sxid_signature(line, int(found["code"]), found["pci"], found["rest"] + link)
    return None


def _xid_signature(line: Line, code: int, pci: str | None, rest: str) -> Signature | None:
    if not 0 < code < 1000:
        return None
    entry = xid(code)
    facts = {"kind": entry.kind, **_details(code, rest)}
    return Signature(
        "xid",
        "gpu",
        _role(code, entry.kind, facts),
        line,
        entry.en,
        entry.zh,
        code=code,
        device=_address(pci),
        facts=facts,
        weak=code in _WATCH,
    )


def _role(code: int, kind: str, facts: dict[str, str]) -> Role:
    if "caused_by" in facts or code in _FOLLOWERS:
        return Role.CASCADE
    if code in _STATEMENTS:
        return Role.CONFIRMATION
    return Role.ADVICE if kind == "information" else Role.ROOT


def _details(code: int, rest: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    if found := _PID.search(rest):
        facts |= {"pid": found[1].strip(), "process": found[2].strip()}
    if found := _CAUSED.search(rest):
        facts["caused_by"] = found[1]
    if found := _RECOVERY.search(rest):
        facts["recovery"] = found[1].strip()
    if found := _SM.search(rest):
        facts["unit"] = "/".join(p for p in found.groups() if p)
    if 144 <= code <= 150 and (decoded := decode_nvlink5(code, rest)):
        facts |= decoded
    elif code == 74 and (found := _NVLINK.search(rest)):
        facts |= {"link": found[1], "registers": found[2], **decode_nvlink4(found[2])}
    return facts


def decode_nvlink5(code: int, rest: str) -> dict[str, str]:
    """Unit, link, sub-code and the catalogue's resolution of an XID 144 to 150.

    The sub-code is bits 20 to 25 of the first word (IntrInfo); the second word is ErrorStatus.
    """
    found = _UNIT.search(rest)
    if not found:
        return {}
    words = re.findall(r"0x[0-9a-fA-F]{1,8}", found["words"])
    facts = {
        "unit": found["unit"].upper(),
        "severity": "fatal" if found["fatal"].lower() == "fatal" else "non-fatal",
        "link": found["link"],
    }
    if len(words) < 2:
        return facts
    info, status = int(words[0], 16), int(words[1], 16)
    facts["subcode"] = str((info >> 20) & 0x3F)
    facts["error_status"] = f"0x{status:08x}"
    rule: Nvlink5Rule | None = nvlink5_rule(code, facts["unit"], info, status)
    if rule:
        facts |= {"resolution": rule.resolution, "investigatory": rule.investigatory}
    return facts


@dataclass(frozen=True, slots=True)
class _Bits:
    bits: frozenset[int]
    verdict: str


_REGISTER_0 = (
    _Bits(frozenset({4, 5}), "ecc_or_parity"),
    _Bits(frozenset({8, 9, 12, 16, 17, 24, 28}), "reseat_link"),
    _Bits(frozenset({21, 22}), "marginal_signal"),
    _Bits(frozenset({1, 20}), "secondary"),
)


def decode_nvlink4(registers: str) -> dict[str, str]:
    """What the first register of an XID 74 line says, most serious first."""
    first = int(registers.split(",")[0], 16)
    set_bits = {bit for bit in range(32) if first >> bit & 1}
    for rule in _REGISTER_0:
        if rule.bits & set_bits:
            return {"verdict": rule.verdict}
    return {}


def _address(pci: str | None) -> str | None:
    """``0000:3b:00`` in one spelling, whatever form the line used."""
    if not pci:
        return None
    parts = pci.lower().split(".")[0].split(":")
    if len(parts) == 2:
        parts = ["0000", *parts]
    parts[0] = parts[0][-4:].rjust(4, "0")
    return ":".join(parts)


def _sxid_signature(line: Line, code: int, pci: str | None, rest: str) -> Signature | None:
    entry = sxid(code)
    data = rest.startswith(("Data", "Severity"))
    fatal = entry.fatal or (
        not entry.known and re.match(r"fatal\b", rest, re.IGNORECASE) is not None
    )
    role = Role.CONFIRMATION if data else Role.ROOT
    facts = {"severity": "fatal" if fatal else "non-fatal", "scope": entry.scope}
    if found := re.search(r"\bLink (\d+)", rest):
        facts["link"] = found[1]
    device = _address(pci)
    return Signature(
        "sxid", "gpu", role, line, entry.en, entry.zh, code, device, facts, weak=not fatal
    )
