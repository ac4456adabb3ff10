"""What a card says, in both languages."""

from __future__ import annotations

from tools.words import Lang

_EN = {
    "action": "Action",
    "call": "Exact call",
    "diff": "What changes",
    "details": "Details",
    "risk": "Risk",
    "change": "change",
    "destroy": "DESTROYS something",
    "blast": "Who feels it",
    "undo": "Undo",
    "auto": " (at once, if verification fails)",
    "verify": "Verified by",
    "asked": "Asked by",
    "may": "May approve",
    "needed": "{n} needed",
    "yes": "Said yes",
    "nobody": "nobody yet",
    "rule": "Approved by",
    "expires": "Expires",
    "changed": "Changed",
    "approve": "Approve",
    "reject": "Reject",
    "more": "Details",
    "close": "Close",
    "sure": "This cannot be taken back lightly",
    "cut": "… shortened; Details shows all of it",
    "said_yes": "said yes",
    "said_no": "said no",
    "left": " · {time} left",
    "digest": "digest",
}
_ZH = {
    "action": "操作",
    "call": "确切的调用",
    "diff": "变更内容",
    "details": "细节",
    "risk": "风险",
    "change": "变更",
    "destroy": "会销毁内容",
    "blast": "影响范围",
    "undo": "撤销方式",
    "auto": "（验证失败时立即撤销）",
    "verify": "验证方式",
    "asked": "提出者",
    "may": "可批准者",
    "needed": "需要 {n} 人",
    "yes": "已同意",
    "nobody": "尚无",
    "rule": "批准依据",
    "expires": "过期时间",
    "changed": "变更时间",
    "approve": "批准",
    "reject": "拒绝",
    "more": "详情",
    "close": "关闭",
    "sure": "此操作难以挽回",
    "cut": "……已截短；完整内容见“详情”",
    "said_yes": "同意",
    "said_no": "拒绝",
    "left": " · 剩余 {time}",
    "digest": "摘要",
}


def words_in(lang: Lang) -> dict[str, str]:
    """The labels of a card."""
    return _ZH if lang == "zh" else _EN
