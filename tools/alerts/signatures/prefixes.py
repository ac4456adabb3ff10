"""Patterns of what stands before the message in a log line."""

from __future__ import annotations

import re

CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
ISO = re.compile(
    r"[\[(<]?(\d{4})[-/](\d\d)[-/](\d\d)[T _](\d\d):(\d\d):(\d\d)(?:[.,:](\d{1,9}))?\d*"
    r"\s?(Z|UTC|[+-]\d\d:?\d\d)?[\])>]?[:,]?"
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = "|".join(MONTHS)
CTIME = re.compile(
    rf"\[?(?:(?:mon|tue|wed|thu|fri|sat|sun)\w*\s+)?({MONTH})\w*\s+(\d{{1,2}})\s+"
    r"(?:(\d{4})\s+)?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:\s+(\d{4}))?\]?:?",
    re.IGNORECASE,
)
GLOG = re.compile(r"\[?([IWEF])(\d{1,2})(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
SHORT = re.compile(
    r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) (\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? "
)
"""``ERROR 01-16 17:16:49``, as vLLM writes it: a level and a time without a year."""
CODE = re.compile(r"(?:\d+ )?\[?[\w./-]{1,120}\.(?:py|cc|cpp|cu|h|go|rs|c):\d+\]:? (?=\S)")
"""``[core.py:515]`` and ``1359 torch/…/api.py:719]``: who wrote the line, not what it says."""
UPTIME = re.compile(r"(?:<(\d{1,2})>)?\[\s*(\d{1,10}\.\d{3,9})\]")
KMSG = re.compile(r"(\d{1,3}),(\d+),(\d+),[-c+,\w=]*;")
DMESG_X = re.compile(r"(\w+)\s*:(emerg|alert|crit|err|warn|notice|info|debug)\s*:\s*")
CRI = re.compile(r"(stdout|stderr) [FP] ")
HOST = re.compile(
    r"([\w.-]{1,64}) ((?:kernel|systemd(?:-\w+)?|kubelet|dockerd|containerd|nvidia[\w-]*|[\w./-]{1,40}"
    r"\[\d+\]))(?:\[\d+\])?: ?"
)
KERNEL = re.compile(r"kernel: ?", re.IGNORECASE)
RANKS = (
    re.compile(r"\[(?:rank|default|Rank )(\d{1,5})\]:?\s?", re.IGNORECASE),
    re.compile(r"rank[ :=_-]?\s?(\d{1,5})(?=[\]:|,> ])\]?\s?[:|>]?\s?", re.IGNORECASE),
    re.compile(r"\[\d+,(\d{1,5})\]<std(?:out|err)>:?\s?"),
    re.compile(r"(\d{1,5}): (?=\S)"),
    re.compile(r"\[(\d{1,4})\]:? (?=\S)"),
)
COMPOSE = re.compile(r"([\w.-]{1,63})\s+\| ")
RAY = re.compile(r"\((\w[\w.:-]*) pid=(\d+)(?:, ip=([\d.]+))?\)\s*")
NCCL = re.compile(r"([\w.-]{1,64}):(\d+):(\d+) \[(\d+)\] (?=\S)")
INNER_RANK = re.compile(r"\bRank (\d{1,5})\]|\brank[= ](\d{1,5})\b", re.IGNORECASE)
LEVEL = re.compile(
    r"\b(?:(fatal|critical|error|exception|panic|emerg|alert)|(warn(?:ing)?)|(info|debug|notice|trace))"
    r"\b(?![\w./])",
    re.IGNORECASE,
)
SYSLOG_LEVELS = ("error",) * 4 + ("warning",) + ("info",) * 3
NAMED_LEVELS = {
    "emerg": "error",
    "alert": "error",
    "crit": "error",
    "err": "error",
    "warn": "warning",
    "notice": "info",
    "info": "info",
    "debug": "info",
    "DEBUG": "info",
    "INFO": "info",
    "WARNING": "warning",
    "ERROR": "error",
    "CRITICAL": "error",
    "I": "info",
    "W": "warning",
    "E": "error",
    "F": "error",
}
