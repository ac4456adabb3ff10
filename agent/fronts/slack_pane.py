"""The assistant pane: a greeting and prompts to begin with."""

from __future__ import annotations

from agent.fronts.slack_errors import SlackRefused, SlackUncertain
from agent.fronts.slack_posts import Place, Posts
from tools.words import Lang

_PROMPTS = {
    "en": (
        ("What is unhealthy?", "What is unhealthy right now, and since when?"),
        ("What changed today?", "What changed in the last 24 hours?"),
        ("Which GPUs are idle?", "Which GPUs were idle in the last hour?"),
        ("What waits for approval?", "Which actions wait for approval?"),
    ),
    "zh": (
        ("哪里不健康？", "现在有什么不健康，从什么时候开始？"),
        ("今天改了什么？", "过去 24 小时有哪些变更？"),
        ("哪些 GPU 空闲？", "过去一小时哪些 GPU 空闲？"),
        ("什么在等待批准？", "有哪些操作在等待批准？"),
    ),
}
_HELLO = {
    "en": "I look, explain with evidence, and propose. Nothing changes before somebody approves it.",
    "zh": "我负责查看、用证据解释并提出建议。在有人批准之前，什么都不会改变。",
}


async def welcome(posts: Posts, place: Place, lang: Lang) -> None:
    """Greet once and offer prompts."""
    prompts = [{"title": title, "message": message} for title, message in _PROMPTS[lang]]
    try:
        await posts.put(f"hello:{place.channel}:{place.thread}", place, _HELLO[lang])
        await posts.api.call(
            "assistant.threads.setSuggestedPrompts",
            channel_id=place.channel,
            thread_ts=place.thread,
            prompts=prompts,
        )
    except (SlackRefused, SlackUncertain):
        return  # the pane works without
