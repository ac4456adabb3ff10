"""What the terminal says of its own accord, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass

from tools.words import Lang


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences of the terminal front."""

    interrupted: str
    again: str
    decide: str
    unknown_command: str
    which_number: str
    no_actions: str
    approved: str
    more_people: str
    cancelling: str
    new_conversation: str
    left: str
    waiting: str
    later: str


_EN = Words(
    interrupted="Interrupted; nothing was changed.",
    again="(starting the answer again)",
    decide="to decide: /approve {number} or /reject {number}",
    unknown_command="There is no command /{name}; there are: {known} /quit",
    which_number="Say which action by its number, for example: /approve 3",
    no_actions="No actions yet.",
    approved="Approved. Action {number} begins.",
    more_people="Noted. Action {number} needs {missing} more.",
    cancelling="Asked to stop; it stops at its next safe point.",
    new_conversation="A new conversation begins.",
    left="about {time} left",
    waiting="Action {number} is at work; waiting for it to reach a safe point.",
    later="Action {number} is still being verified; the next start of Steward goes on with it.",
)
_ZH = Words(
    interrupted="已中断；没有做任何更改。",
    again="（重新开始回答）",
    decide="请决定：/approve {number} 批准，或 /reject {number} 拒绝",
    unknown_command="没有命令 /{name}；可用命令：{known} /quit",
    which_number="请写明操作编号，例如：/approve 3",
    no_actions="还没有任何操作。",
    approved="已批准。操作 {number} 开始执行。",
    more_people="已记录。操作 {number} 还需要 {missing} 人同意。",
    cancelling="已请求停止；会在下一个安全点停下。",
    new_conversation="开始新的对话。",
    left="约剩 {time}",
    waiting="操作 {number} 正在执行；等待其到达安全点。",
    later="操作 {number} 仍在验证；Steward 下次启动时继续。",
)

HELP: dict[Lang, str] = {
    "en": """Ask in plain words: "how is digits?", "train the digits model", "roll it out",
"why is the ranker slow?", "what happened today?". Changes are only proposed;
each waits for a decision that names its number.

  /approve N   say yes to action N, and carry it out
  /reject N    say no (a reason may follow)
  /show N      the whole card of action N
  /actions     the newest actions
  /cancel N    withdraw it, or ask it to stop
  /undo N      propose its undo
  /incidents   what fires together, and who has it
  /have N      incident N is yours: nobody further is called
  /usage       what this conversation cost
  /new         begin a new conversation
  /quit        leave (also Ctrl-D); Ctrl-C interrupts an answer""",
    "zh": """用平常的话提问：“digits 怎么样？”、“训练 digits 模型”、“上线它”、
“ranker 为什么慢？”、“今天发生了什么？”。更改只会被提议；
每个更改都等待写明其编号的决定。

  /approve N   批准操作 N 并执行
  /reject N    拒绝（可附理由）
  /show N      查看操作 N 的完整卡片
  /actions     最近的操作
  /cancel N    撤回，或请求停止
  /undo N      提议撤销
  /incidents   同时触发的告警，以及由谁处理
  /have N      由您处理事件 N：不再通知其他人
  /usage       本次对话的用量
  /new         开始新的对话
  /quit        离开（或 Ctrl-D）；Ctrl-C 中断回答""",
}


def words(lang: Lang) -> Words:
    """The sentences in ``lang``."""
    return _ZH if lang == "zh" else _EN
