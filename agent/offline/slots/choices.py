"""Values of closed arguments (strategies, states, formats) in the words people use for them.

A value that is not listed here is still understood by its own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from agent.offline.text import Span
from agent.offline.text import pattern as compiled

_SPOKEN: dict[str, str] = {
    "canary": r"灰(?:一下|到|个)|canar(?:y|ies)(?:-style)?|gradual(?:ly)?|(?:a )?(?:few|couple of|handful of) (?:pods|replicas|instances) first|金丝(?:雀|鸟)?|灰度(?!那[套个]|环境|集群|服务|的那|版|部署|这)|小流量|先[放切]一(?:点|小?部分)|(?:不要|别)一(?:次|下子?)(?:性)?(?:全量|全切|放完)|not (?:all|everything|everyone) at once|bit by bit|small (?:part|share|slice) of (?:the )?traffic",
    "blue_green": r"blue[ _/-]?green|blue for green|bluegreen|蓝绿",
    "rolling": r"rolling(?! out)|(?:pod|replica|one|instance) by (?:pod|replica|one|instance)|滚动|逐(?:个|台|步)|一(?:个个|点点|台台)",
    "firing": r"firing|还没(?:消|恢复|好)(?:掉|除)?(?=[?吗呢,. ]|$)|(?:what|which|who)(?:'s| is| ones?)? fires|喺度响|仲响|burning|响[着紧]|(?<![能会])响[没吗么]|什么在响|啥在响|on fire|going off|ringing|(?:正)?在(?:响|叫|fire|报(?!名|告))(?!之)|还在(?:响|叫)|(?:正|正在|在)触发|触发中|正在(?:告警|报警)|触发的|[未没](?:有)?(?:恢复|消除?|解决)的",
    "silenced": r"silenced|silences? (?:are|is) (?:active|running|on)|active silences?|(?:which|what|any) silences?|消音(?:了|着|掉)?的?|silence (?:着|了|掉)|muted|silence(?: on \S+)? (?:still|(?:has )?run out|in (?:force|effect))|snoozed|suppressed|under silence|mute[sd]?|hushed|(?:被|已)?(?:静默|静音|屏蔽)(?:了)?的?|静默中",
    "resolved": r"went away|resolved?|solved|closed|recovered|cleared|already over|(?:went |gone |came |are |is )?back to normal|(?<![未没有])(?:已经?)?(?:恢复|解决|消除)(?:了)?的?|已经?好了的?|(?<![未没])消掉(?:了)?的?",
    "proposed": r"(?:待|要|等)我?过目|(?:for )?my signature|awaits? (?:my |our )?(?:approv\w+|sign\w*)|proposed|proposals?|pending|(?:awaiting|wait(?:s|ing)? (?:for|on)|still need(?:s|ing)?|need(?:s|ing)?) (?:my |our |an? |the )?(?:approv(?:al|ed)|sign[- ]?off|thumbs?[- ]up|nod|go[- ]ahead|blessing|decision|yes|review|ok)|(?:waiting|sitting|waits?) .*(?:approv\w*|queue|me\b)|to be approved|unapproved|not (?:yet )?(?:approved|decided)|approval queue|approvals? .*outstanding|outstanding|open for approval|queue(?:d up)?(?= (?:of|for)\b)|(?:to|for me to) (?:validate|rubber-stamp|confirm|sign)|need (?:a human|somebody|someone|me)|stuck on .*\byes|sign off on|waiting (?:for|on) me|to approve|approve (?=before|first)|still waiting|waits? for permission|(?:say|said|saying) yes to|yes to as yet|have to ok|unconfirmed|blocked on (?:a human|me|someone|somebody|us)|waiting (?:for )?(?:sign-?off|approv\w*|somebody|someone)|approved(?= yet)|somebody's yes|待(?:我们?)?(?:审批|批准|批|审|确认|处理|签核?)|卡在(?:审批|我)|(?:没|没人|未|还没)(?:点头|放行|签核?|处理|过(?!期))|(?:没|没人|未)点(?:头|同意|确认)?|差谁(?:点头|批)?|悬着|挂着|卡着|卡谁|(?:批|审)下来了?[没么吗]|通过了没|等.{0,6}(?:审批|批准|核准|批(?!量)|approve)|忘了(?:审批|批)|(?:要|等).{0,3}我.{0,2}(?:点头|确认|撳确认|签核?)|等(?:着|待|紧)?(?:我们?)?(?:的)?(?:审批|批准|批|确认|点头)|没批|未(?:审批|批准|批)|需要我?(?:审批|批准|确认)|提议",
    "approved": r"approved(?! or otherwise)|okayed|green-?lit|signed off|(?:got|been given|given) (?:the|a) (?:green light|yes|go-ahead)|approve(?= that has)|(?:已经?|都)(?:批准?|同意|放行|点头)(?:过|了)?的?|(?<![没未待人有审])(?:批准?|同意|放行)(?:过|了)(?![没吗么])(?:的|但|却|还|可)?",
    "applying": r"applying|in progress|in[- ]flight|executing|being (?:applied|executed|carried out)|(?:执行|生效)中|正在(?:执行|生效|进行)",
    "applied": r"(?<!yet )(?<!being )(?<!be )applied|(?<!yet )(?<!being )(?<!necessarily )executed|生效了的|已经?(?:执行|生效)的?",
    "verified": r"(?<!not )(?<!be )verified|(?<![未没])(?:已|已经)?验证(?:过|通过|成功|完)(?:了)?的?|已验证|核验(?:过|通过)?(?:了)?的?",
    "unverified": r"unverified|(?:not|never|n't)(?: yet)?(?: be(?:en)?)? verified|verification failed|(?:未|没|没有|没能|还没|无法)验证(?:过|通过|成功)?的?|验证(?:不了|失败|不通过|没过|没通过)的?",
    "rejected": r"rejected|declined|refused|denied|turned down|vetoed|said no to|knocked back|被?(?:拒绝|拒|驳回|否决|否|打回|毙)(?:掉|了|来)+的?|(?:被|已)(?:拒绝?|驳回|否决|否|打回)的?|拒绝的?|驳回的?|否决的?|没批准的",
    "expired": r"expired|过咗期|lapsed|timed[- ]out|过了?期(?:了|没人批|没批)?的?|超时(?:了)?的?|失效(?:了)?的?",
    "failed": r"failed|failing|broken|went wrong|did(?:n't| not) (?:work|succeed)|失败(?:了)?的?|没成功的?|出错的?",
    "unknown": r"unknown|结果不明|未知",
    "undone": r"undone|reverted|(?:taken|rolled) back again|(?:已经?|被)?(?:撤销|撤回|撤|回退|还原)(?:过|掉|了)+的?|(?:已|被)(?:撤销|撤回|还原)的?",
    "stale": r"stale|outdated|过时(?:了)?的?|陈旧的?|作废(?:了)?的?",
    "open": r"没(?:处理|执行|跑|走|做)完的?|(?:has|have)n'?t (?:yet )?(?:ended|finished|closed)|还开着的?|open(?! (?:the|my|up|it|actions? \d|number|#|\d))|still-open|unfinished|in the works|not (?:yet )?(?:ended|finished|closed|done)(?: yet)?|(?:没|未|还没|尚未|没有)(?:结束|完结|完成|收尾|关闭|了结)的?|未了的?",
    "magnitude": r"magnitude(?:[- ]based|-prun\w*)?|by magnitude|幅度|幅值|权重大小",
    "structured": r"structur(?:ed|al|ally)|channel(?:s|[- ]wise)?(?: pruning)?|结构化|通道",
    "2:4": r"2:4|two[- ](?:to|by|of|out of)[- ]four|2 of 4|n:m|二比四",
    "wanda": r"wanda(?:-\w+)?",
    "onnx": r"onnx(?:[ -]?runtime)?",
    "torch_export": r"torch[ ._-]?export(?:ed)?|exported ?program|pt2|torchexport",
    "safetensors": r"safe ?-?tensors?",
    "static": r"static(?:ally)?|静态",
    "dynamic": r"dynamic(?:ally)?|动态",
    "auto": r"auto(?:matic(?:ally)?)?|自动(?!调参|量化|扩)|自己(?:选|定|挑|决定)|自选",
    ">": r"(?:goes |is |gets |stays |rises |climbs |jumps |be )?(?:above|over|past|higher than|greater than|more than|larger than|exceed(?:s|ing)?|beyond|tops|hotter than|>)(?!=)|超过|超出|高于|大于|高过|多于|突破|(?<!不)超(?=\s*\d)|涨到|升到|达到|到了(?=\s*\d)|(?<=[\d成%度秒十百千])\s?以上|(?:slower|hotter|deeper|bigger|longer|worse|faster) than",
    "<": r"(?:goes |is |gets |stays |falls |drops |dips |be )?(?:below|under|beneath|less than|lower than|fewer than|smaller than|<)(?!=)|低于|小于|少于|低过|跌破|(?:降|掉|跌|落|减)到|不足|不到|(?<=[\d成%度秒十百千])\s?以下|(?<=[\d成%度秒十百千] )以下|(?:drops?|falls?|dips?|goes|sinks?|comes) (?:down )?to(?= ?\d)|(?:cooler|shorter) than",
    ">=": r">=|≥|高于(?:或|或者)?等于|at or (?:above|over)|or (?:above|over)|not (?:under|below)|at least|or (?:more|higher|above)|no less than|大于等于|不低于|不少于|至少",
    "<=": r"<=|≤|低于(?:或|或者)?等于|at or (?:below|under)|or (?:below|under)|not (?:over|above)|at most|or (?:less|lower|fewer)|no more than|小于等于|不超过|不高于|至多",
    "critical": r"critical(?:[ -]level)?|page[- ]worthy|严重(?!级别|程度|等级|性)|紧急|致命",
    "warning": r"warnings?(?:[ -]level)?|警告(?:级别)?",
    "info": r"info(?:rmational)?(?:[ -]level)?|提示级别",
    "anomaly": r"[跟和与]平时(?:不一样|不同|差)|偏离(?:平时|常态)|unlike (?:its |the )?usual|anomal(?:y|ies|ous(?:ly)?)|out of the ordinary|unusual(?:ly)?|odd(?:ly)?|weird(?:ly)?|strange(?:ly)?|abnormal(?:ly)?|异常|反常|不正常|不对劲",
    "rate": r"rate[- ]of[- ]change|rate[ -]?(?:type|kind|rule|alert)s?|(?:type|kind)(?: is|=|:)? ?rate|rate(?= ?(?:类|规则|型))|(?:kind|类型)\W{0,3}(?:用|选|是)? ?rate|(?:changes?|grows?|rises?|climbs?|jumps?|increases?|drops?|falls?|moves?) (?:too |very |so |that )?(?:fast(?:er)?|quick(?:ly|er)?|rapidly|suddenly|sharply|by)|变化(?:率|速度|速率|太快|过快|得?太猛)|增速|涨速|涨幅|(?:涨|升|降|掉|变)得?(?:太|过|很)?(?:快|猛)|[猛暴]涨|[突陡骤]增",
    "peer": r"peer[ -]outliers?|(?:stray|drift|deviat|differ)\w* (?:away )?from (?:its|the|their) (?:peers|siblings|neighbou?rs|others|rest)|unlike (?:its|the) (?:neighbou?rs|siblings)|不像(?:其他|别的)|unlike (?:that|those) of (?:its|the|all|other)|unlike (?:its|the|all|other)(?! usual)(?: the)? ?(?:peers|others|rest|gpus|cards)?|outliers?|(?:differs?|deviates?|deviating|differing|different|diverges?|apart) (?:from|than) (?:its|the|other|all)(?: the)? ?(?:peers|others|other (?:gpus|cards)|rest|gpus|cards)|\w+er than (?:its|the|all the) (?:peers|others|rest|siblings|neighbou?rs|other (?:gpus|cards))|peer (?:alert |alerting )?(?:rule|type|kind|outlier|comparison|alert)s?|(?:type|kind)(?: is|=|:)? ?peer|peer(?= ?(?:类|规则|那种|型))|(?:kind|类型)\W{0,3}(?:用|选|是)? ?peer|(?:跟|和|比|与)(?:其他|其它|别的|其余|同类|同伴).{0,8}(?:不(?:一样|同)|偏|高|低|差|热|慢|快)|不合群|compar\w+ (?:cards|gpus|them) (?:to|with) each other|(?:different|differs?) to (?:its|the) peers|[跟比]旁边.{0,4}(?:不一样|热|高|低)|与其他.{0,6}不同|离群|[跟和与]其[他它余](?:的)?卡[^,]{0,6}不",
}


@cache
def _pattern(value: str) -> re.Pattern[str]:
    spoken = _SPOKEN.get(value, re.escape(value).replace("_", "[ _-]"))
    return compiled(
        rf"(?:(?<![a-z0-9_-])|(?=[^\x00-\x7f]))(?:{spoken})(?:(?![a-z_-])|(?<=[^\x00-\x7f]))(?!(?<=[a-z0-9])[0-9])"
    )


_LISTED = compiled(r"\s*(?:,|、|&|and|or|和|及|与|或|,? (?:and|or))\s*")
_STILL = compiled(r"[的了]?\s*,?\s*(?:but|and still|and not|yet to|that has|但|却|还没|可)")
_VAGUE = compiled(r"proposals?|提议")
"""Words for things asked for, which a state said beside them explains further."""


def ranked(low: str, values: Sequence[str]) -> list[tuple[Span, str]]:
    """The values that may be meant, the likeliest first; none where several are listed (``proposed or rejected``).

    A state in which a thing ends says more than that it waits (``expired proposals``), that it
    waits more than that another was approved, and the catch-all ``open`` gives way to any.
    """
    found = sorted(find(low, values), key=lambda f: (f[0].start, -f[0].end))
    for (one, value), (other, further) in pairwise(found):
        if value != further and _LISTED.fullmatch(low[one.end : other.start]):
            return []
    wanted = [f for f in found if not _refused(low, f[0])]
    return sorted(wanted, key=lambda f: (_rank(low, *f), f[0].start))


_NOT = compiled(
    r"(?:\b(?:no|not|without|instead of|rather than)(?: as)?(?: an?| the)?|不要|不用|不走|(?<![级类区个特])别用?)\s*$"
)
_TOO = compiled(r"\s*(?:不够|不行|不好|太|is not enough|isn't enough)")


def _refused(low: str, span: Span) -> bool:
    return bool(_NOT.search(low[: span.start]) or _TOO.match(low[span.end :]))


def _rank(low: str, span: Span, value: str) -> int:
    """How far a word gives way to others: 0 for the surest."""
    if value == "open":
        return 4
    if _VAGUE.fullmatch(low[span.start : span.end]):
        return 3
    if value == "approved":
        return 0 if _STILL.match(low[span.end :]) else 2
    return int(value == "proposed")


def named(low: str) -> list[str]:
    """Every value that a folded text names by a word of its own, of whatever argument."""
    return [value for value in _SPOKEN if value.isalpha() and _plain(value).search(low)]


def negative(low: str, negations: Sequence[Span]) -> bool:
    """Is a negation part of a word for a value: ``not all at once`` for a canary?"""
    said = [span for span, _ in find(low, tuple(_SPOKEN))]
    return any(n.overlaps(span) for n in negations for span in said)


@cache
def _plain(value: str) -> re.Pattern[str]:
    return compiled(rf"(?<![a-z0-9_-]){value}(?![a-z0-9_-])")


def find(low: str, values: Sequence[str]) -> Iterator[tuple[Span, str]]:
    """Where a folded text names one of ``values``."""
    for value in values:
        for match in _pattern(value).finditer(low):
            if match.group():
                yield Span(*match.span()), value
