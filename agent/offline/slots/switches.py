"""Arguments that are on or off, and the words that turn them: ``先不启用``, ``enabled=true``."""

from __future__ import annotations

import re

from agent.offline.text import pattern as compiled

_OFF = (
    r"\benabled?\b\s*(?:is |to |=|:|设为?|为|=)?\s*(?:false|off|no)\b|\bdisabled?\b|\bdisabling\b|\bdeactivate\b|\binactive\b"
    r"|\b(?:switch|turn|flip|leave|keep|set)(?:ed|ned|s)?\b[^,;]{0,40}?\boff\b|\boff (?:for now|at first|to begin with|initially)\b"
    r"|\b(?:don't|do not|not|without|never|no)\b (?:yet )?(?:to )?(?:enabl\w+|activ\w+|turn(?:ing)? (?:it )?on|switch(?:ing)? (?:it )?on)"
    r"|(?:先|暂时?|建好|现在|暂且)?(?:别|不要?|暂不|先不)(?:急着)?(?:启用|开启?|打开|激活|生效|启动)(?!过)|先关着|关着先|先关掉?|关掉|停用|禁用|(?:保持|先)关闭"
)
_ON = (
    r"\benabled?\b\s*(?:is |to |=|:|设为?|为)?\s*(?:true|on|yes)\b|\b(?:re-?)?enabl(?:e|ed|ing)\b|\b(?:re-?)?activat(?:e|ed|ing)\b"
    r"|\b(?:switch|turn|flip)(?:ed|ned|s)? (?:it |this |that )?(?:back )?on\b|\b(?:switch|turn)\b[^,;]{0,40}? (?:back )?on(?: again)?(?:$|[,.;])"
    r"|(?:重新|马上|立即|立刻|直接)?(?:启用|激活)|(?:重新|再)(?:打开|开启|开)"
)
_AGAIN = r"重新(?:启用|激活|打开|开启)|\bre-?(?:enable|activate)\b|\b(?:enable|activate) (?:it|them|this) again\b|(?<!n't )(?<!not )\b(?:switch|turn) (?:it|them|this|that) (?:back )?on\b"
"""Back to what it was: says more than that it is off now."""
_SWITCHES: dict[str, tuple[tuple[bool, re.Pattern[str]], ...]] = {
    "withdraw": (
        (
            True,
            compiled(
                r"\b(?:withdraw|retract|take (?:\w+ ){0,3}?back|revoke|forget)\b|撤回|撤销|撤掉|收回|作废"
            ),
        ),
    ),
    "enabled": ((True, compiled(_AGAIN)), (False, compiled(_OFF)), (True, compiled(_ON))),
}

NAMES = frozenset(_SWITCHES)
"""Arguments that are on or off."""


def find(name: str, low: str) -> bool | None:
    """Whether a folded text turns this argument on or off; nothing when it does not say."""
    for meant, pattern in _SWITCHES.get(name, ()):
        if pattern.search(low):
            return meant
    return None
