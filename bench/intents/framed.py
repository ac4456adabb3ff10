"""Changes that are not asked for: a deed in a frame that forbids, wonders, waits, or tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from agent.offline.text import language, read
from bench.intents.corpus import PHRASES, Sample
from tools.catalog import TOOLS
from tools.contract import Effect

_FRAMES = {
    "en": {
        "@negated": (
            "don't {}", "do not {} yet", "please don't {} right now", "never {}", "no need to {}",
            "dont {} pls", "you must not {}", "let's not {} today", "i'd rather you didn't {}",
            "under no circumstances {}", "nobody should {} before the review", "stop, don't {}",
            "we shouldn't {} during the incident", "whatever you do, do not {}",
            "hold on, do not {}", "i never asked you to {}", "it's not necessary to {}",
            "no one wants to {} now", "we decided not to {}", "forget it, no need to {}",
            "there's no reason to {}", "it's too early to {}", "let's wait before we {}",
            "we won't {} today", "I talked them out of it, no need to {}", "we can't {} until legal agrees",
        ),
        "@explain": (
            "how do I {}?", "how does one {}", "what happens if we {}?", "what would happen if i {}",
            "should we {}?", "is it safe to {}?", "how long does it take to {}?", "why would anyone {}",
            "what are the risks when we {}", "is it possible to {} without downtime?",
            "do i need approval to {}?", "who is allowed to {}?", "what does it mean to {}",
            "would it help to {}?", "explain what happens when you {}", "is it a good idea to {}",
            "could it hurt to {}?", "hypothetically, if someone were to {}, what then?",
            "what's the usual way to {}", "does it cost much to {}?",
            "what's the syntax to {}", "is there a dry run to {}?", "what are the steps to {}, for my notes",
            "let's imagine we {}, who'd have to say yes?", "what exactly would it do to {}",
        ),
        "@conditional": (
            "{} if the error rate goes above 5%", "{} when it finishes", "if it crashes again, {}",
            "once the job is done {}", "{} tomorrow at 9", "tonight at 2am {}", "{} in an hour",
            "as soon as traffic drops, {}", "{} unless someone objects", "when latency doubles {}",
            "{} after the freeze is over", "at 6 pm {}", "on monday morning {}", "wait for alice, then {}",
            "in case it gets worse {}", "{} as soon as the tests pass", "{} provided ops agree",
            "next friday {}", "{} at midnight", "should it fail again, {}",
        ),
        "@statement": (
            "alice said she would {}", "the runbook says: {}", "bob is going to {} himself",
            "i will {} myself later", "yesterday somebody asked us to {}", "we plan to {} next week",
            'the ticket reads "{}", but it is closed', "someone wrote '{}' in the log",
            "they wanted to {} but it recovered", "we were about to {} when it healed",
            "i'm going to {} myself now, just so you know", "ops will {} on their own",
            "the platform team will {} on thursday", "next sprint we'll {}", "they might {} at some point",
            "it's the infra crew who'll {}, not us", "found in an old script: {}. ancient history",
            "the customer wanted us to {}, i said no", "management decided to {} in q3, budget permitting",
            "after the offsite we may {} for good", "to {} was a bad call by me, sorry everyone",
        ),
    },
    "zh": {
        "@negated": (
            "别{}", "先别{}", "不要{}", "千万不要{}", "不用{}了", "不需要{}", "请勿{}", "暂时不要{}",
            "今天谁都不许{}", "没让你{}", "{}就先不用了", "不必{}", "先不{}", "别给我{}啊",
            "我没说要{}", "现在还不能{}", "唔好{}", "{}的事作罢", "咱们决定不{}了", "取消刚才的话，不{}了",
            "还没到{}的地步", "轮不到{}", "不急着{}", "{}的事先放放", "我不是要你{}", "我反对{}",
            "想了想还是不{}了", "{}就免了", "没有理由{}", "下周之前不许{}",
        ),
        "@explain": (
            "怎么{}?", "如何{}", "{}要多久?", "{}会有什么影响?", "{}安全吗", "如果{}会怎样?",
            "{}需要谁批准?", "一般什么时候要{}", "{}有风险吗?", "为什么要{}?", "{}会不会丢请求",
            "{}是什么意思?", "{}的流程是怎样的", "要是{}了,用户有感觉吗?", "有必要{}吗", "该不该{}",
            "理论上{}有用吗", "{}之前要注意什么?", "点样{}", "能讲讲{}的原理吗",
            "假设我{},会怎样", "能不能{}?我只是好奇支不支持", "{}的命令怎么写", "想学一下怎么{}",
            "万一要{},流程是啥", "{}需要停机吗,随口一问",
        ),
        "@conditional": (
            "如果错误率超过5%就{}", "等任务跑完再{}", "明天早上9点{}", "今晚两点{}", "一旦再报警就{}",
            "要是还不行就{}", "下班后{}", "流量降下来之后{}", "万一又挂了,{}", "周五晚上{}",
            "等我确认完再{}", "一小时后{}", "延迟翻倍的话{}", "测试通过了就{}", "凌晨{}", "除非有人反对,否则{}",
            "半夜十二点{}", "等老板点头了{}", "下周一{}", "温度再到90就{}",
        ),
        "@statement": (
            "我已经{}了", "昨天{}过了", "小王说他会{}", "刚才有人{}了", "我自己等下会{}", "下周打算{}",
            "文档里写着“{}”", "运维同学已经{}完了", "本来想{},后来自己好了", "日志里有一句“{}”", "我们上周{}过一次",
            "大家知悉,我刚{}完", "{}完了", "{}好了,大家放心", "刚{}完,没问题", "{}已经做了",
            "平台组计划周四{}", "他们组下午会{},提前打个招呼", "工单标题:《{}》", "脚本里有一句 {}，被注释掉了",
            "早知道昨天就该{}", "客户让我们{},我拒了", "我自己来{}", "上个月我们{}过,效果不错", "同事正在{}",
            "{}成功了,同步一下", "文案写的是“{}”,得改改", "老板以前也{}过",
        ),
    },
}  # fmt: skip
_WHO = (
    "alice",
    "bob",
    "dana",
    "i",
    "we",
    "someone",
    "the infra team",
    "my colleague",
    "ops",
    "she",
)
_WHEN = (
    "an hour ago",
    "this morning",
    "yesterday",
    "earlier",
    "already",
    "last night",
    "just now",
    "on friday",
    "by hand",
    "before lunch",
    "twice last week",
    "and it looks fine",
    "for me",
    "while you were away",
    "during the drill",
)
_TOLD = 0.1
"""Share of the frames that tell in English what somebody did."""
_WEIGHT = 0.25
_LONGEST = 60


def framed(samples: Sequence[Sample], count: int) -> Iterator[Sample]:
    """Deeds in frames, each kind of frame as often as the others."""
    changing = {t.name for t in TOOLS if t.effect is not Effect.READ}
    verbs = {phrase.split()[0] for t in TOOLS for phrase in t.phrases.en if t.name in changing}
    deeds: dict[str, list[Sample]] = {"en": [], "zh": []}
    for sample in samples:
        if sample.labels[0] in changing and len(sample.labels) == 1 and _plain(sample, verbs):
            deeds[language(sample.text)].append(sample)
    dice = Random(22)
    for _ in range(count):
        if dice.random() < _TOLD:
            deed = dice.choice(deeds["en"])
            yield Sample(deed.by, _told(deed.text, dice), ("@statement",), deed.names, _WEIGHT)
            continue
        lang = dice.choice(("en", "zh"))
        label = dice.choice(tuple(_FRAMES[lang]))
        deed = dice.choice(deeds[lang])
        text = dice.choice(_FRAMES[lang][label]).replace("{}", deed.text.rstrip(" .。!！"))
        yield Sample(deed.by, text, (label,), deed.names, _WEIGHT)


def _told(deed: str, dice: Random) -> str:
    """``restart ranker`` becomes ``alice restarted ranker this morning``."""
    verb, _, rest = deed.rstrip(" .!").partition(" ")
    return f"{dice.choice(_WHO)} {_past(verb.lower())} {rest} {dice.choice(_WHEN)}"


_IRREGULAR = {
    "put": "put", "take": "took", "send": "sent", "make": "made", "build": "built", "give": "gave",
    "cut": "cut", "set": "set", "bring": "brought", "get": "got", "go": "went", "let": "let",
    "undo": "undid", "run": "ran", "tell": "told", "begin": "began", "shrink": "shrank",
    "stop": "stopped", "drop": "dropped", "ship": "shipped", "strip": "stripped", "kill": "killed",
    "cancel": "cancelled", "distil": "distilled", "distill": "distilled", "roll": "rolled",
}  # fmt: skip


def _past(verb: str) -> str:
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    return f"{verb[:-1]}ied" if verb.endswith("y") and verb[-2:-1] not in "aeiou" else f"{verb}ed"


def _plain(sample: Sample, verbs: set[str]) -> bool:
    """A bare order: ``restart ranker``."""
    low = read(sample.text).low
    if len(low) > _LONGEST or any(c in low for c in "?,;:"):
        return False
    if language(low) == "zh":
        return sample.by == PHRASES and not low.endswith(("吧", "吗", "了", "呗"))
    return low.split()[0] in verbs
