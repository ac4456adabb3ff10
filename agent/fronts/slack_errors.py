"""What Slack's answers mean to the rest of the front."""

from __future__ import annotations

from tools.errors import Unavailable

ABSENT = "unknown_method"
"""The word for a method this workspace (or what stands in for it) does not have."""
_REMEDY = {
    "not_in_channel": ("invite it there: /invite @Steward", "请在该频道输入 /invite @Steward"),
    "channel_not_found": (
        "check the channel's id; a private channel needs /invite @Steward",
        "请检查频道 ID；私有频道需要 /invite @Steward",
    ),
    "is_archived": ("the channel is archived; name another one", "该频道已归档，请改用其他频道"),
    "missing_scope": (
        "reinstall the app from deploy/slack/manifest.yaml",
        "请用 deploy/slack/manifest.yaml 重新安装应用",
    ),
    "ratelimited": ("it will take no more for a while", "请稍后再试"),
    ABSENT: ("this address does not offer it", "该地址不提供此方法"),
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        (
            "the token is wrong or was revoked; see docs/slack.md",
            "令牌错误或已被吊销，见 docs/slack.md",
        ),
    ),
}


class SlackRefused(Unavailable):
    """Slack answered no; ``code`` is its word for the reason."""

    def __init__(self, method: str, code: str) -> None:
        en, zh = _REMEDY.get(code, ("", ""))
        super().__init__(
            f"Slack refused {method}: {code}{f' ({en})' if en else ''}.",
            f"Slack 拒绝了 {method}：{code}{f'（{zh}）' if zh else ''}。",
        )
        self.method = method
        self.code = code


class SlackUncertain(Unavailable):
    """It is not known whether Slack did it."""
