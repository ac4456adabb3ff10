"""Sending through apprise: mail, SMS, chat and paging services by URL. The only importer of it.

apprise has no retries, acknowledgements or durable queue of its own that could be used here: the
outbox is ours, and one call is one attempt. Its log lines and errors may hold URLs, so none of
them passes: only status codes do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tools.errors import Failed, Unavailable

if TYPE_CHECKING:
    from tools.notices.base import Notice

SECONDS = 20
"""How long one attempt may take."""
_CODE = re.compile(r"\berror=(\d{3})\b")
_PERMANENT = frozenset(range(400, 500)) - {408, 425, 429}
HEADERS = ("X-Steward-Notice", "Idempotency-Key")


def check(name: str, url: str) -> None:
    """Raise ``Failed`` when apprise does not understand the URL of target ``name``."""
    _service(name, url)


def send(notice: Notice, url: str) -> None:
    """One attempt.

    Raises:
        Failed: the service refuses it (4xx other than 408, 425, 429), or the URL is not understood.
        Unavailable: it did not arrive this time.
    """
    service = _service(notice.target, url)
    carried = _carry_id(service, notice.id)
    many = _apprise().Apprise()
    many.add(service)
    result = many.notify(
        body=_body(notice, carried),
        title=notice.subject,
        notify_type=_type(notice.severity),
        body_format="text",
        attach=str(notice.attachment) if _attaches(notice, service) else None,
        timeout=SECONDS,
    )
    if not result:
        _raise(notice.target, result)


def _service(name: str, url: str) -> Any:
    _hush()
    service: Any = _apprise().Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise Failed(
            f"The url of target {name} is not understood; docs/notices.md shows what to write.",
            f"目标 {name} 的 url 无法识别；写法见 docs/notices.md。",
        )
    if "overflow=" not in url:
        service.overflow_mode = _apprise().OverflowMode.SPLIT
    return service


def _apprise() -> Any:
    import apprise

    return apprise


def _hush() -> None:
    """Keep apprise and its HTTP client from logging addresses, whatever the root logger wants."""
    import logging

    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)  # below that its lines hold whole URLs
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    for name in ("urllib3", "requests"):
        noisy = logging.getLogger(name)
        if noisy.getEffectiveLevel() < logging.WARNING:
            noisy.setLevel(logging.WARNING)


def _carry_id(service: Any, id: str) -> bool:
    """Give the service the id where it takes one, so that it can tell a repeat by itself."""
    if getattr(service, "dedup", id) is None:  # GoAlert, FireHydrant
        service.dedup = id
    headers = getattr(service, "headers", None)
    if not isinstance(headers, dict):
        return False
    for name in HEADERS:
        headers[name] = id
    return True


def _body(notice: Notice, carried: bool) -> str:
    """The text; with the id where a person has to tell a repeat, as programs read headers."""
    if notice.attempts > 1 and (notice.kind == "e-mail" or not carried):
        again = f"attempt {notice.attempts}: it may have reached you before"
        return f"{notice.text}\n\n[notice {notice.id}, {again}]"
    return notice.text if carried else f"{notice.text}\n\n[notice {notice.id}]"


def _attaches(notice: Notice, service: Any) -> bool:
    supported = bool(getattr(service, "attachment_support", False))
    return supported and notice.attachment is not None and notice.attachment.is_file()


def _type(severity: str) -> Any:
    types = _apprise().NotifyType
    return {"warning": types.WARNING, "critical": types.FAILURE}.get(severity, types.INFO)


def _raise(name: str, result: Any) -> None:
    said = " ".join(entry.message for r in result.results for a in r.attempts for entry in a.logs)
    codes = [int(code) for code in _CODE.findall(said)]
    if codes and codes[-1] in _PERMANENT:
        raise Failed(
            f"{name} refused it (HTTP {codes[-1]}); check the url of this target.",
            f"{name} 拒绝了该通知（HTTP {codes[-1]}）；请检查该目标的 url。",
        )
    if codes:
        raise Unavailable(f"{name} answered HTTP {codes[-1]}.", f"{name} 返回 HTTP {codes[-1]}。")
    if result.status.name == "TIMEOUT":
        raise Unavailable(
            f"{name} did not answer within {SECONDS} s.", f"{name} 在 {SECONDS} 秒内没有应答。"
        )
    raise Unavailable(f"{name} could not be reached.", f"无法连接 {name}。")
