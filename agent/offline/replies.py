"""What the planner says when no tool is called: who it is, what it can do, why it does nothing."""

from __future__ import annotations

from agent.offline.intent import Label
from agent.offline.text import Lang
from tools.contract import Phrases

LABELS: tuple[Label, ...] = (
    Label(
        "about",
        Phrases(
            en=(
                "who are you", "what are you", "are you a bot or a person", "are you an ai", "are you chatgpt", "which model are you built on",
                "what llm do you use", "are you a language model", "do you need my approval before changing anything", "can you restart things on your own",
                "do you do anything without asking", "what are you not allowed to touch", "do you store our logs anywhere", "what languages do you speak",
                "can you speak chinese", "how do you work", "are you human", "what is your name", "who made you", "can i trust you", "is this an llm",
                "can you change things by yourself", "where do you keep your data", "do you send our data anywhere", "do you remember what i said",
                "are you able to deploy on your own without approval", "do you ever act without permission", "what version of yourself are you",
            ),
            zh=(
                "你是谁", "你是什么", "你是机器人还是真人", "你背后用的什么模型", "你是大模型吗", "你改东西之前需要我批准吗", "你会说英文吗", "你能自己重启服务吗",
                "你会不会自己动手", "你会保存我们的日志吗", "你是人工智能吗", "你叫什么名字", "你是怎么工作的", "你有权限直接改吗", "你不能碰什么", "你会把数据发出去吗",
                "你听得懂中文吗", "谁开发了你",
            ),
        ),
    ),
    Label(
        "help",
        Phrases(
            en=("help", "what can you do", "what can i ask you", "how do i use you", "show me what you can do", "list your tools", "which commands are there", "usage", "what are your capabilities", "give me some examples of what to ask", "what do you support", "menu"),
            zh=("帮助", "你能做什么", "你会什么", "怎么用你", "有哪些功能", "有什么命令", "使用说明", "可以问你什么", "你都能干啥", "举几个例子"),
        ),
    ),
    Label(
        "greeting",
        Phrases(
            en=("hi", "hello there", "good morning", "good night everyone", "good evening", "hey how is it going", "bye", "see you tomorrow", "have a nice weekend", "yo", "morning all"),
            zh=("你好", "您好", "早上好", "晚上好", "晚安大家", "再见", "拜拜", "嗨", "大家早", "周末愉快", "在吗"),
        ),
    ),
    Label(
        "thanks",
        Phrases(
            en=("thanks", "thank you so much", "cool", "great job", "ok cool", "nice", "perfect", "got it", "never mind", "all good", "sounds good", "awesome work", "thanks, that worked", "understood", "good to know", "that is fine", "lol"),
            zh=("谢谢", "多谢", "辛苦了", "好的", "收到", "知道了", "明白了", "不错", "太好了", "没事了", "算了", "行吧", "哈哈"),
        ),
    ),
    Label(
        "explain",
        Phrases(
            en=(
                "how long does a restart of {name} take", "what would a rollback do", "what is the difference between cordon and drain", "how do i scale a deployment",
                "is it safe to restart {name} during peak", "explain what pruning is", "what happens to requests when you roll out with blue green", "can a rollout be paused in general",
                "does quantizing hurt accuracy", "what is a canary rollout", "how many trials does a tuning run usually need", "which is better, distillation or pruning",
                "what does silencing an alert do", "do i need approval to drain a node", "would scaling {name} help in theory", "how does drift detection work",
                "should i be worried that it takes so long", "remind me what promoting a version means", "is there any downside to pausing a rollout", "what would happen to the jobs on {name} if it were drained",
                "how is tuning different from training", "when should i use a canary", "what is an alias", "explain how blue green works", "why do we cordon nodes before draining them", "how risky is a rollback",
            ),
            zh=(
                "重启 {name} 要多久", "回滚会有什么影响", "封锁和排空有什么区别", "怎么扩容一个部署", "高峰期重启 {name} 安全吗", "什么是剪枝", "蓝绿发布时正在处理的请求会怎样",
                "量化会掉多少精度", "蒸馏和剪枝哪个好", "排空节点需要审批吗", "静默告警是干嘛的", "理论上扩容有用吗", "暂停发布一整天会有副作用吗", "提升一个版本是什么意思",
                "要是现在排空 {name} 上面的任务会怎么样", "灰度发布是什么意思", "如何回滚", "怎么取消训练", "金丝雀和蓝绿的区别", "调参一般要多少次",
            ),
        ),
    ),
    Label(
        "scope",
        Phrases(
            en=(
                "what is the weather in berlin", "write me a poem about servers", "buy shares", "who won the game last night", "book me a table for two", "translate good morning into french",
                "tell me a joke", "what is 17 times 23", "order pizza for the team", "set my thermostat to 21 degrees", "restart my laptop", "restart my router", "how do i train my dog not to bark",
                "scale the recipe to six servings", "prune the roses in my garden", "deploy the troops", "play some music", "what is the capital of france", "recommend a movie", "write a python script for me",
                "what time is it in tokyo", "book a flight", "call my mom", "what is the stock price", "remind me to buy milk", "sing a song", "who is the president", "fix my printer", "write an email to my boss",
                "what should i eat for lunch", "roll back the clock", "drain the pasta", "silence my phone", "promote my colleague to manager", "cancel my subscription", "cancel my meeting", "export my contacts",
            ),
            zh=(
                "北京今天天气怎么样", "给我写首诗", "帮我买一百股股票", "昨晚球赛谁赢了", "讲个笑话", "帮我点个外卖", "重启我的路由器", "把早上好翻译成英文", "等于几", "院子里的树该剪枝了", "怎么训练狗不乱叫",
                "放首歌", "推荐一部电影", "订一张机票", "午饭吃什么", "写个脚本", "今天股价多少", "现在几点", "重启我的电脑", "给我妈打电话", "取消我的会议", "帮我写周报", "给手机静音", "谁是总统",
            ),
        ),
    ),
)
"""Requests that no tool answers; scored beside the tools, so that they do not look like one."""

_SAYS: dict[str, tuple[str, str]] = {
    "about": (
        "I am Steward's embedded planner: a small language-understanding program on this machine, not a large language model.\n"
        "I look and explain on my own; every change is only a proposal until a person approves exactly that action. English and Chinese both work.",
        "我是 Steward 的内置规划器：运行在本机上的小型理解程序，不是大语言模型。\n"
        "我可以自行查看和解释；任何变更都只是提议，需要有人批准那一个操作之后才会执行。中文和英文都可以。",
    ),
    "greeting": (
        "Hello. Ask me about deployments, GPUs, alerts, jobs or models, or ask for a change.",
        "你好。可以问我部署、GPU、告警、任务或模型的情况，也可以让我提议一个变更。",
    ),
    "thanks": ("You are welcome. Nothing was changed.", "不客气。没有做任何变更。"),
    "explain": (
        "That is a general question; nothing was proposed. The embedded planner answers from live data only, it does not explain concepts.\n"
        "Ask about a deployment, model, node or alert by name, or see the documentation.",
        "这是一般性的问题，没有提议任何变更。内置规划器只根据实时数据回答，不讲解概念。\n"
        "可以按名称询问部署、模型、节点或告警，或查看文档。",
    ),
    "scope": (
        "That is outside what I do. I look after models in training and service: deployments, GPUs, logs, alerts, jobs, versions.",
        "这超出了我的范围。我负责训练和服务中的模型：部署、GPU、日志、告警、任务和版本。",
    ),
    "negated": ("Understood, nothing will be done.", "明白，不会执行任何操作。"),
    "statement": ("Noted. Nothing was proposed.", "知道了，没有提议任何变更。"),
    "nothing": (
        "I did not understand a request in that. Say what to look at or what to change, for example:",
        "我没有从中看出具体请求。请说明要看什么或改什么，例如：",
    ),
}


def say(what: str, lang: Lang) -> str:
    """A fixed reply in the language of the question."""
    if what == "help":
        return capabilities(lang)
    en, zh = _SAYS[what]
    return (zh if lang == "zh" else en) + ("\n" + _examples(lang) if what == "nothing" else "")


def _examples(lang: Lang) -> str:
    if lang == "zh":
        return "「ranker 为什么慢」「最近一小时的错误率」「把 ranker 扩到 3 个副本」「对比 digits 的 2 和 3」"
    return '"why is ranker slow", "error rate over the last hour", "scale ranker to 3", "compare digits 2 and 3"'


def capabilities(lang: Lang) -> str:
    """What can be asked, by example."""
    if lang == "zh":
        return (
            "我可以查看并解释：GPU 和主机、部署、日志和事件、告警和诊断、指标、任务、模型版本与漂移、状态汇总。\n"
            "我可以提议（由人批准后才执行）：发布、回滚、扩缩容、重启、暂停发布、封锁和排空节点、静默告警、\n"
            "训练、调参、剪枝、量化、蒸馏、导出、镜像、通知和定时汇总。例如："
            + _examples(lang)
            + "\n我是内置规划器，不是大语言模型。"
        )
    return (
        "I look and explain: GPUs and host, deployments, logs and events, alerts and diagnosis, metrics, jobs, model versions, drift, summaries.\n"
        "I propose, and a person approves: roll-outs, roll-backs, scaling, restarts, cordon and drain, silences,\n"
        "training, tuning, pruning, quantisation, distillation, export, images, notices, scheduled summaries. For example: "
        + _examples(lang)
        + "\nI am the embedded planner, not a language model."
    )
