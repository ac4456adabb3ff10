"""What a clause does: asks for something, asks about something, tells, forbids, makes conditions.

Only grammar: function words, aspect, word order. No tool is known here.
"""

from __future__ import annotations

import re
from enum import StrEnum
from agent.offline.text import pattern as compiled


class Act(StrEnum):
    """The speech act of a clause."""

    REQUEST = "request"
    QUESTION = "question"
    GENERAL = "general"
    """A question about how things are in general: how long does, what is a, is it safe to."""
    STATEMENT = "statement"
    """Telling what somebody did or will do."""
    NEGATED = "negated"
    CONDITION = "condition"
    HEDGED = "hedged"


_CONDITION = compiled(
    r"\bif\b(?! (?:you|u) (?:can|could|please|don'?t mind|have time)| possible)|\bunless\b|\bonce\b(?! (?:a|per|every|more|again)\b)|\bas soon as\b|\bin case\b|\bwhenever\b|\bprovided (?:that)?\b|\bassuming\b"
    r"|(?<!^)\bwhen\b(?! (?:you|u|we) (?:can|get|have|could|find)| possible| convenient| did| was| were| is| will| do| does)|^when (?!did|was|is|will|do|does|were|are|has|have|should|can|exactly)"
    r"|\bafter\b(?= .*\b(?:finish(?:es|ed)?|ends?|completes?|completed|is (?:done|over|back|ready|up|down)|are (?:done|over|back|ready)|drops?|rises?|goes|doubles?|passes|recovers?|falls?|exceeds?|succeeds?|fails?|converges?|hits?|gets?|confirms?|looks?)\b)"
    r"|\bwait (?:until|till|for)\b|\bdepending on\b|\botherwise\b|\bor else\b"
    r"|如果|要是|假如|倘若|若是|若(?=[^干])|一旦|除非|万一|(?<!有)的话|等(?!级|待|着|于|等).{1,30}?(?:再|就|后|直接|才|自动)|(?:超过|低于|高于|大于|小于|达到|跌破|不行|失败|成功|完|好|结束|通过|翻倍|正常|恢复)了?(?:之后|以后|后)?,?\s*(?:就|再|立刻就|自动)(?!炸|挂|崩|坏|慢|报|出|不行)|时,?自动|(?:之?后|以后)?就(?:自动|立刻|马上|直接)?(?=把|给|将|重启|回滚|扩|缩|发布|部署|上线|排空|封锁|停|取消|暂停|恢复|训练|重训|剪|量化|升|推|滚|通知|静默)|(?:完成|结束|恢复|通过)(?:之?后|以后)(?:再|就|自动)"
)
_NEGATION = compiled(
    r"\b(?:do not|don'?t|dont|never|no need|needn'?t|shouldn'?t|should not|must not|mustn'?t|mustnt|won'?t|wont|cannot|can'?t we not|not (?:going to|gonna|yet|now|today|tonight|tomorrow|necessary|needed)|"
    r"nobody (?:asked|wants|told)|no one (?:asked|wants|told)|hold off|hold your horses|forget (?:about|it|that|the)|never ?mind|nvm|"
    r"cancel that(?=$|[,.!]|,? (?:please|request|i)\b)|scratch that|(?:let us|let'?s|lets) not|decided (?:against|not)|decide against|rather (?:you )?not|no longer (?:want|need)|avoid|refrain|"
    r"without (?:\w+ing)|wait before|before you|leave \S+ (?:\w+ed\b|alone|as (?:it )?is|where it is|be|running|untouched)|leave (?:it|them|that)(?= |$)|keep your hands off|hands off|changed my mind|instead of|skip (?:the|it|that)|(?:is|are|was) not needed|not (?:to )?(?:restart|scal|deploy|roll|drain|cordon|prun|touch)\w*|"
    r"(?:cancel|abort|call off|scrap|forget) (?:the|that|my|this) (?:restart|scal\w+|drain|rollback|promotion|pruning|quanti\w+|cordon)\b|abort that|stop,? do not|i (?:take|took) (?:it|that) back|on second thought|false alarm)\b|^no[,.! ]+(?:don'?t|stop|wait|leave)|^not\b|(?:^|\s)isn'?t (?:needed|necessary)"
    r"|别(?!名|的|人|处|墅|说)|(?<!要)不要(?!紧)|不用(?!说)|不必|不需要|无需|无须|勿|切勿|毋需|没必要|没让|没人让|没人叫|没人要|没有人让|先不|暂不|暂时不|暂缓|算了|作废|免了|甭|改主意|不(?=发布?|部署|回滚|重启|扩容?|缩容?|剪枝?|量化|蒸馏|静默|排空|封锁|上线|取消|动|碰|推|升级|训练)|啥也不|什么(?:都|也)不|就这样|(?:不|别)(?:看|查)(?!懂|到|出)|(?:重启|扩容|缩容|排空|回滚|发布|剪枝|量化|上线)(?:就|先)?(?:取消|作废|不用|算了|免了)|不想|不打算|不许|不准|不能(?!.*吗)|以后再说|下次再|取消刚才|撤回刚才的(?:话|请求)"
)
_GENERAL = compiled(
    r"\bhow (?:do|does|can|would|should|to)\b(?! .*\b(?:look|doing|going|compare|stack|perform)\b)|\bhow is (?:an? )?\w+(?: \w+)? different\b|\bhow (?:long|much time|often|many \w+ (?:does|do) an?)\b.*\b(?:take|takes|need|last|usually|normally|typically)\b|"
    r"\bwhat (?:would|will|could|might)\b(?!.*\b(?:the )?(?:status|version)\b)|\bwhat happens?\b(?= (?:to|if|when|during|with|while|after|in)\b.*\b(?:you|i|we|one|someone|they|a|an)\b)|\bwhat (?:is|are|'s) (?:an? |the (?:difference|point|purpose|meaning|idea|use|downside|risk|benefit)s?)|"
    r"\bwhat'?s (?:an? |the (?:difference|point|purpose|meaning|idea|use|downside|risk|benefit)s?\b)|\bwhats (?:an? |the (?:difference|point)\b)|\b(?:difference|differences) between\b|\bis (?:it|this|that) (?:safe|ok|okay|possible|advisable|wise|dangerous|risky|fine|necessary|a good idea|a bad idea)\b|\bis there (?:any|a) (?:downside|risk|way|danger|harm|point|benefit)\b|"
    r"\b(?:should|shall) (?:i|we|one)\b|\bdo (?:i|we|you) (?:need|have) (?:\w+ )?(?:approval|permission|to)\b|\bcan (?:a|an|one|i)\b|\b(?:can|could|may|will|would|does|is|are) (?:a |an |the )?(?:rollouts?|rollbacks?|restarts?|drain(?:s|ing)?|canar(?:y|ies)|pruning|quanti[sz](?:ing|ation)|distill(?:ing|ation)|scaling|restarting|cordoning|silencing|promoting|pausing|retraining|tuning)\b(?! of\b| paused| still| done| finished| over| running| complete| in )|\bin (?:general|theory|principle)\b|\btheoretically\b|\bhypothetically\b|\bwhat does (?:it|an?|\w+ing)\b|"
    r"\bwhat do(?:es)? .* (?:actually )?(?:do|mean)\b|\bwhich is (?:better|safer|faster)\b|\bexplain (?:what|how|the difference|to me (?:what|how))\b|\bremind me (?:what|how)\b|\btell me (?:how|what .*(?:is|means|does)$)\b|\bwhy (?:do|would|should) (?:we|you|i|one|people)\b|\bwhat if\b|\bwould (?:it|that|\w+ing)\b.*\b(?:help|hurt|work|matter|break|fix|affect|be)\b|\bhow safe\b|\bhow risky\b|\bpros and cons\b|\bworried\b|\bwhen (?:should|would) (?:i|we|you|one)\b|\b(?:best practice|recommend)"
    r"|\bwho (?:is allowed|may|can|has (?:the )?(?:right|permission))\b|\bwhat(?:'s| is| are) the (?:point|purpose|benefit|idea)\b|解释(?:一)?下?(?!.*(?:样本|预测|xid|告警|alert|NAME|操作))|为什么(?:要|得|需要)|目的|好主意|有权限|谁能批|风险|怎么(?=扩|缩|回|重|发|部|剪|量|蒸|静|排|封|暂|恢|取|训|调|升|导|构|推|设|上|做|用|才|操作)|如何(?=扩|缩|回|重|发|部|剪|量|蒸|静|排|封|暂|恢|取|训|调|升|导|构|推|设|上|做|用|才|操作|进行|把|将|对|给)|怎样(?=扩|缩|回|重|发|部|剪|量|才|把)|怎么把|(?:要|需要|得|会|大概|一般|通常).{0,4}(?:多久|多长时间|几分钟)|多久(?!.*(?:训练完|跑完|能好))|(?:有|会有|会)(?:什么|啥|哪些)?(?:影响|副作用|后果|风险|坏处|问题吗|危险)|有什么(?:区别|不同|好处|用|坏处|优缺点)|有啥(?:区别|不同|用|好处)|的?区别(?:是什么|在哪|何在)?[?]?$|安全吗|安不安全|什么是|是什么意思来着|是啥意思|什么意思$|是干(?:嘛|什么|啥)的?|有什么用|到底是|哪个(?:更)?好|会怎(?:么)?样|会怎么|会不会(?!.*\d号)|会(?:掉|降|损失|变|影响|导致|丢|中断).{0,10}(?:吗|多少|么)|需要(?:审批|批准|权限|停机|多少|注意)|要不要(?=审批|批准|停机)|理论上|原则上|一般(?:来说|情况)|通常|可以.{0,8}吗$|能不能在|该不该|应不应该|应该.{0,14}吗|有必要|值得|有用吗|有帮助吗|管用吗|行得通"
)
_HEDGE = compiled(
    r"\bmaybe\b|\bperhaps\b|\bi (?:guess|think|suppose|wonder|feel)\b|\bprobably\b|\bpossibly\b|\bat some point\b|\bsomeday\b|\beventually\b|\bmight (?:want|need|have|be|help|make)\b|\bworth (?:a |\w+ing)|\b(?:would|could) (?:probably |maybe )?(?:help|be good|be nice|be worth)\b|\bi'?d suggest\b|\bhow about\b|\bwhat about \w+ing\b|\bwhat do you think\b|\bfeels like\b|\bconsidering\b|\bthinking (?:of|about)\b|\bnot sure\b|\bshould we\b|\bcould use\b|\bwondering\b|\bone day\b"
    r"|也许|或许|可能(?:需要|要|得|该)|是不是(?:该|要|应该|得|需要)|要不(?!要)|要不要|考虑|我觉得|感觉(?:该|要|应该)|大概(?:该|要|得)|应该(?:要|得|可以)?(?=扩|缩|重启|回滚|发布)|改天|有空|建议|不如|怎么看|你觉得|觉得呢|好像(?:要|该|得|需要)|似乎(?:要|该|得|需要)|哪天|回头再"
)
_QUESTION = compiled(
    r"^(?:and |so |but |also |btw |quick q(?:uestion)? )*(?:what|who|whom|whose|which|when|where|why|how|is|are|was|were|am|did|does|do (?:we|they|you|i|any)|has|have (?:we|you|they|i|the|any|all)|had|any|anyone|anybody|anything|what's|who's|how's|whats|hows|whos|is there|are there|was there|will|would|isn't|aren't|didn't|hasn't)\b"
    r"|吗[?!]*$|吗[,。]|么[?]$|没有?[?]$|(?:了|过|完|好|到|成功)没(?:有)?(?:$|[?,])|谁|为什么|为啥|为何|怎么(?:了|回事|样|这么|一直|又|还|会|老)|咋(?:了|样|回事)|哪(?:个|些|里|儿|版|家)|什么时候|啥时候|(?<![加多来开扩补起上])几(?:个|点|台|次|号)(?!.*到)|多少|多大|多高|多久|有没有|是不是|有冇|啥(?!也|都)|什么(?!也|都)|是否|如何|怎样|呢[?]?$"
)
_WHETHER = compiled(
    r"^(?:please |can you |could you )*(?:check|see|verify|confirm|find out|make sure|look up|look|tell me|do you know)\b(?: (?:for me|out|up))? (?:if|whether|that|who|when|how|which|what|why)\b(?!.*(?:above|below|over|under|exceed|>|<|drops|passes))"
    r"|^(?:看看|看下|看一下|查一下|查查|确认一下|确认下|检查一下|检查下)?.*(?:是不是|有没有|是否|了没|没有?$)"
)
_LATER = compiled(
    r"(?<!until )(?<!till )\b(?:tomorrow|at (?:\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m|p\.m|o'clock)|noon|midnight|\d{1,2}:\d\d)|in (?:an? |\d+ |TIME ?)(?:hours?|minutes?|mins?|days?)?(?: time)?$|(?:next|on) (?:mon|tues|wednes|thurs|fri|satur|sun)day|later (?:today|tonight))\b"
    r"|(?<!到)(?:明天|明早|明晚|后天|凌晨|半夜|下周[一二三四五六日天]?|TIME后|TIME之后|稍后|晚点|待会儿?|等会儿?)|(?:今晚|晚上|下午|早上|上午|中午)?\s*(?:\d{1,2}|[一二三四五六七八九十]+|NUM)\s*点(?:钟|半|整)?"
)
_EITHER = compiled(r"NAME ?(?:or|/|或者?|还是) ?NAME")
_POLITE_QUESTION = compiled(
    r"^(?:please |hi |hey |hello |ok |so |and )*(?:can|could|would|will) (?:you|u|we|i get|someone|somebody)\b|\bwould you mind\b|(?:能不能|可不可以|可否|能否|可以)(?:帮|给|把|请|麻烦)"
)
_TOLD = compiled(
    r"(?<!if )(?<!when )(?<!what )(?<!why )(?<!how )(?<!that )(?<!once )\b(?:i|we|he|she|they|someone|somebody|the team|ops) (?:already |just |have |has |had |finally |also )*(?!need)(?:\w{2,}ed|ran|put|took|shut|built|made|sent)\b|^\W*(?:i|we|he|she|they|someone|somebody|the \w+|(?!is|are|was|were|get|has|have|show|list)[a-z]+) (?:already |just |have |has |had |'ve |finally |also )*(?:have |has )?(?:already )?(?:restarted|scaled|rolled|deployed|drained|cordoned|uncordoned|pruned|quantized|quantised|promoted|silenced|muted|paused|resumed|reverted|trained|retrained|tuned|cancelled|canceled|pushed|built|exported|shipped|released|bounced|distilled|killed|rebooted)\b"
    r"|\b(?:fyi|just so you know|for your information|heads[- ]up|for the record)\b|\b(?:will|is going to|are going to|'ll|is about to) (?:\w+ )?(?:restart|scale|roll|deploy|drain|cordon|prune|handle|take care)\b(?! .*\?)|\b(?:was|were|has been|have been|got) (?:already |just )?\w+ed (?:by|this|last|earlier|already|an? |yesterday|TIME)\b|\b(?:no action (?:is )?(?:needed|required)|nothing to do)\b|\byesterday (?:we|i|they)\b|\b(?:worked|succeeded|went (?:fine|well|smoothly))\b(?!.*\?)"
    r"|^\W*NAME (?:just |already |has |have |had |was |again )*(?!need)(?:\w{3,}ed)\b(?! by \w+\?)|\bwas going to\b|\bwere going to\b|^(?:thanks|thank you|thx|cheers|kudos|props) for \w+ing\b|\bis (?:done|finished|over|complete)\b(?=$|[,.!])"
    r"|本来(?:想|要|打算)|原本|差点|谢谢你.{0,4}了|(?:扩|重启|回滚|发布|排空|剪枝?|量化|训练|部署|上线|缩|静默|升级|封锁)完(?:了|成)?(?!吗|没|就|后|之后|再)|(?:昨天|昨晚|前天|刚才|刚刚|早上|上午|下午|之前|上周|TIME)[^,]{0,6}(?:把|给|对)?[^,]{0,20}(?:到|成|过|掉)?了(?!吗|没)|(?:等下|待会儿?|一会儿?|明天|晚点)(?:会|要|再)?|(?:自己|自动)[^,]{0,6}(?:重启|恢复|回滚|扩容)了"
    r"|已经?.{0,16}(?:过|了|完|好)|.{1,12}过了|跟你说一声|知会|告知一下|通报|顺便说|昨天(?:我们|我|他们|有人).{0,20}(?:过|了)|(?:早上|刚才|刚刚|昨晚|上午|下午)[^,]{0,8}(?:重启|扩|缩|排空|回滚|发布|封锁|部署|静默|暂停|取消)了|成功了(?!吗|没)|(?:扩|重启|回滚|发布|排空|剪|量化|训练|部署|上线|缩|静默|升级)(?:过|了)(?!吗|没|吧|把|$)|(?:她|他)(?:说)?(?:会|要)"
)


def act(clause: str) -> Act:
    """The act of a folded clause (names masked)."""
    text = clause.strip(" ,.;:!")
    general = bool(_GENERAL.search(text))
    if _WHETHER.search(text) and not _NEGATION.search(text) and not general:
        return Act.QUESTION
    if _CONDITION.search(text) and not general:
        return Act.CONDITION
    if _NEGATION.search(text) and not text.endswith("?"):
        return Act.NEGATED
    if _POLITE_QUESTION.search(text) and not re.search(r"\bin general\b|\bhow (?:do|to)\b", text):
        return Act.HEDGED if _HEDGE.search(text) else Act.REQUEST
    if general:
        return Act.GENERAL
    if _HEDGE.search(text):
        return Act.HEDGED
    if _QUESTION.search(text) or text.endswith("?"):
        return Act.QUESTION
    return Act.STATEMENT if _TOLD.search(text) and not _LOOKS.search(text) else Act.REQUEST


_BEFORE_CONDITION = compiled(r"^(?P<main>.+?)[, ]*\b(?:if|once|when|whenever|as soon as|unless|in case|after|until|provided|assuming)\b")
_AFTER_CONDITION = compiled(
    r"^.*?\b(?:if|once|when|whenever|as soon as|unless|in case|after|assuming)\b[^,]*?(?:,\s*(?:then )?|\bthen )(?P<main>.+)$"
    r"|^.*?(?:就|自动|直接|的话,?|才|立刻|(?<=[完好后了]),?\s*再)(?P<han>.+)$"
)


def main_clause(low: str) -> tuple[int, int] | None:
    """The range of a conditional sentence that says what to do."""
    after = _AFTER_CONDITION.search(low)
    if after:
        group = "main" if after["main"] else "han"
        return after.span(group)
    before = _BEFORE_CONDITION.search(low)
    return before.span("main") if before else None


_DECLARES = compiled(
    r"(?<!^)\b(?:is|are|was|were|looks?|look(?:ed|ing)|seems?|means?|has|have|had|keeps?|went|got|said|says|agreed|dropped|jumped|fell|rose|leaks?|lines? up|beat|won|feels?)\b"
    r"|^\W*(?:NAME|gpu NUM|(?:the|our|this|that|some|these|those) \w+|it|this|that|there|they|users?|customers?|people|everyone|someone|somebody|we|i|he|she) (?:\w+ly |just |already |still |again |all |both )*(?!needs?\b|should\b|must\b|wants?\b|versus\b|vs\b)(?:\w{2,}(?:ed|s|ew|oke|ought|ent|ell|ose)|hit|got|hang|crash)\b"
    r"|^[^,]*(?:严重|一直|老是|放不下|没响应|不响应|起不来|送修|不稳定|太闲|太忙|太大|太慢|异常$|不行了?$|有问题$|发散|漂移严重|满了|又.{1,6}了$|上了|烫|有点|有些|太|全是|都是|很|挺|疯狂|坐实|漏了|炸了|坏了|没了|挂了|卡死|报了|爆了|涨了|掉了|不稳|过了)"
)
_ORDERS = compiled(
    r"^(?:please |can you |could you )*(?:show|list|give|check|look|tell|find|get|see|compare|plot|draw|graph|chart|explain|describe|read|tail|grep|search|diagnose|debug|investigate|report|summari[sz]e|fetch|pull|run|scan|test|open|print|what|who|which|when|where|why|how|is|are|did|does|has|have)\b"
    r"|看|查|列|给我|告诉|显示|对比|比较|画|绘|解释|诊断|排查|搜|总结|检测|分析|什么|哪|谁|多少|吗|怎么|为"
)


def declares(clause: str) -> bool:
    """A plain statement of how things are: no order, no question."""
    text = clause.strip(" ,.;:!")
    return bool(_DECLARES.search(text)) and not _ORDERS.search(text) and not text.endswith("?")


def orders(clause: str) -> bool:
    """Does it ask to look at something?"""
    return bool(_ORDERS.search(clause.strip(" ,.;:!")))


def looks(clause: str) -> bool:
    """Does it begin by asking to be shown or told something?"""
    return bool(_LOOKS.search(clause.strip(" ,.;:!")))


def subordinate(clause: str) -> bool:
    """A clause that only sets the scene: ``after the rollback``, ``上次发布之后``."""
    return bool(_SUBORDINATE.search(clause.strip(" ,.;:!")))


_LOOKS = compiled(r"^(?:tell|show|let|give|notify|alert|page|warn|ping|list|check|告诉|通知|提醒|叫|喊|告警|报警|看|查|列)")
_SUBORDINATE = compiled(
    r"^(?:after (?!that)|since |before |during |while |because |as (?:we|i|the|it)\b|given |due to |following |now that |even though |although |though )|(?:之后|以后|之前|以前|的时候|以来)$"
)
_ASSENT = compiled(
    r"^(?:go|go ahead|go for it|do it|just do it|make it so|(?:kick|set) (?:that|it|this) off|get it done|thanks?(?: a lot| you)?|cheers|asap|now|please|ok(?:ay)?|sure|right|well|yes|yep|do that|thx|pls|immediately|urgent(?:ly)?|quickly|"
    r"谢谢(?:啦|了|你)?|马上|快点?|赶紧|立刻|尽快|搞起|辛苦(?:了)?|拜托(?:了)?|好的?|行|去吧|急|在线等|多谢|谢了)[.! ]*$"
)


def assents(clause: str) -> bool:
    """``go``, ``do it``, ``thanks``: adds nothing to what was asked."""
    return bool(_ASSENT.search(clause.strip(" ,.;:!")))


def refuses(clause: str) -> bool:
    """Puts a whole deed off, whatever a phrase with the same words may ask for."""
    return bool(_REFUSES.search(clause))


_REFUSES = compiled(r"\bhold off (?:on )?\w+ing\b|\bno need to\b|\bnobody (?:asked|wants)\b|暂时不|没让|没人让|不用|不需要|不必")


def later(clause: str) -> bool:
    """Does it name a moment to come, for which nothing can wait here?"""
    return bool(_LATER.search(clause))


def either(clause: str) -> bool:
    """One name or the other: somebody has to choose."""
    return bool(_EITHER.search(clause))


def negated(clause: str) -> bool:
    """Does it forbid something?"""
    return bool(_NEGATION.search(clause))


def conditional(clause: str) -> bool:
    """Does it make a condition?"""
    return bool(_CONDITION.search(clause))
