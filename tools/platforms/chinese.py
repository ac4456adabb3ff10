"""In Chinese, what platforms say in English: their warnings, and the named causes. Pure.

Platforms name causes in English, which remedies and diagnoses are found by. What a kubelet, a
scheduler or a log said is quoted as it is.
"""

from __future__ import annotations

import re

_COUNT = r"(\d+) of (\d+)"
_PHRASES: tuple[tuple[str, str], ...] = (
    # Warnings before a change.
    (
        r"its keeper process is gone, so nothing heals or advances; any change starts it anew",
        "其守护进程已不在，无法自愈或推进；任何变更都会重新启动它",
    ),
    (
        r"its keeper process is gone; this change starts it anew",
        "其守护进程已不在；本次变更会重新启动它",
    ),
    (
        r"the image (\S+) is not on this host yet; it would be pulled",
        r"镜像 \1 尚不在本机，届时会拉取",
    ),
    (
        r"strategy Recreate: every replica stops before the new ones start",
        "策略为 Recreate：所有副本停止后新副本才启动",
    ),
    (
        r"its strategy would stop every replica at once; this roll-out keeps them serving",
        "其自身策略会同时停掉所有副本；本次发布会保持服务",
    ),
    (
        r"all new replicas start beside the old; traffic moves as they become ready",
        "所有新副本与旧副本并存启动；就绪后流量逐步切换",
    ),
    (
        r"HorizontalPodAutoscaler (\S+) decides the number of replicas",
        r"副本数由 HorizontalPodAutoscaler \1 决定",
    ),
    (r"0 replicas: the new version is not tried by anything", "0 个副本：新版本得不到任何验证"),
    (r"the deployment is below its minimum already", "该部署已低于最少可用副本数"),
    (
        r"^(.+) leaves no room for the extra replica that comes before an old one may leave, so the"
        r" cluster will refuse it \(quota\); raise the quota, or allow one replica to be missing"
        r" \(maxUnavailable: 1\)",
        r"\1 不够先多起一个新副本再停旧副本，集群会拒绝（配额）；请提高配额，或允许缺少一个副本"
        r"（maxUnavailable: 1）",
    ),
    (
        r"^(.+) leaves room for (\d+) extra replicas: that many come at a time",
        r"\1 只够同时多起 \2 个新副本：每批替换 \2 个",
    ),
    (r"\bquota (\S+) \((\S+): (\S+) allowed, (\S+) used\)", r"配额 \1（\2：上限 \3，已用 \4）"),
    (r"no controller would start these again: ", "没有控制器会重新启动这些 Pod："),
    (r"emptyDir data is lost in ", "以下 Pod 的 emptyDir 数据会丢失："),
    (
        r"PodDisruptionBudget (\S+) allows no disruption now; (\d+) pods wait for it",
        r"PodDisruptionBudget \1 目前不允许中断；\2 个 Pod 需等待",
    ),
    # Named causes.
    (r"image cannot be pulled", "镜像拉取失败"),
    (r"crash loop", "反复崩溃"),
    (r"\bprobe failing", "探针失败"),
    (r"no capacity", "容量不足"),
    (r"^quota", "配额不足"),
    (r"bad config or secret reference", "引用的配置或 Secret 有误"),
    (r"out of memory \(OOM\)", "内存不足（OOM）"),
    (r"\bnode lost", "节点失联"),
    (r"stuck terminating", "卡在终止中"),
    (r"refused by policy", "被策略拒绝"),
    (r"volume cannot be mounted", "卷挂载失败"),
    (r"pod sandbox failing", "Pod 沙箱创建失败"),
    (r"^evicted", "已被驱逐"),
    (r"init container does not end", "初始化容器未结束"),
    (r"not ready yet", "尚未就绪"),
    (r"artefact missing", "缺少产物"),
    (r"port taken", "端口被占用"),
    (r"model cannot be loaded", "模型无法加载"),
    (r"model fails its warm-up", "模型预热失败"),
    # How containers and processes end, and how far a change is.
    (r"init container (\S+) exits with (\d+)", r"初始化容器 \1 以 \2 退出"),
    (r"container (\S+) exits with (\d+)", r"容器 \1 以 \2 退出"),
    (r"(\S+) exited with (\d+)", r"\1 以 \2 退出"),
    (r"exited with code (-?\d+)", r"以退出码 \1 结束"),
    (
        r"killed by SIGKILL: by a person, or by the kernel for want of memory",
        "被 SIGKILL 终止：由人操作，或因内存不足被内核终止",
    ),
    (r"^killed(?=:)", "被终止"),
    (r"; back to revision (\d+)", r"；已回到修订 \1"),
    (r"killed by (SIG\w+)", r"被 \1 终止"),
    (r"ended; its exit code is not known", "已结束；退出码未知"),
    (r"container (\S+) exceeded its memory limit", r"容器 \1 超出内存上限"),
    (r"(\S+) exceeded its memory limit", r"\1 超出内存上限"),
    (r"container (\S+) cannot start", r"容器 \1 无法启动"),
    (r"container cannot start", "容器无法启动"),
    (
        r"container (\S+) runs but its (\w+) probe has not passed",
        r"容器 \1 在运行，但 \2 探针未通过",
    ),
    (r"container (\S+) was restarted just now; watching it", r"容器 \1 刚刚重启，正在观察"),
    (r", after it had been ready", "，此前已就绪过"),
    (r", (\d+) restarts", r"，重启 \1 次"),
    (r"no progress within (\d+) s", r"\1 秒内没有进展"),
    (_COUNT + r" replicas updated, (\d+) available", r"\1/\2 个副本已更新，\3 个可用"),
    (_COUNT + r" replicas updated", r"\1/\2 个副本已更新"),
    (_COUNT + r" replicas of revision (\d+) ready", r"修订 \3 的 \1/\2 个副本就绪"),
    (_COUNT + r" new replicas are ready", r"\1/\2 个新副本就绪"),
    (_COUNT + r" replicas (?:are )?ready", r"\1/\2 个副本就绪"),
    (r"nobody drives it: resume the roll-out to go on", "无进程推进：请继续发布"),
    (r"replica (\S+) crashed", r"副本 \1 崩溃"),
    (r"replica (\S+) not ready", r"副本 \1 未就绪"),
    (r"(\d+) old replicas are still terminating", r"\1 个旧副本仍在终止"),
    (r"replicas are missing", "缺少副本"),
    (r"the controller has not looked at the change yet", "控制器尚未处理该变更"),
    (r"paused by a person", "已被人暂停"),
    (r"the roll-out is paused", "发布已暂停"),
    (r"paused with ", "已暂停，"),
    (r"nothing (?:was|has been) rolled out yet", "尚未发布过"),
    (r"scaled to zero: nothing runs", "已缩容到 0，没有运行副本"),
    # Why a canary was given up.
    (r"canary rolled back at (\S+): ", r"灰度在 \1 时回滚："),
    (r"canary at (\S+): ", r"灰度在 \1 时失败："),
    (r"a replica of the new version is not ready", "新版本的副本未就绪"),
    (
        r"error rate (\S+) over (\d+) requests, allowed (\S+) \(stable (\S+)\)",
        r"\2 次请求的错误率为 \1，上限 \3（稳定版 \4）",
    ),
    (
        r"p95 latency (\d+ ms) is (\S+)× the stable version's (\d+ ms), allowed (\S+)×",
        r"p95 延迟 \1，是稳定版 \3 的 \2 倍，上限 \4 倍",
    ),
    (
        r"quality (\S+) over (\d+) labelled answers, stable (\S+): (\S+) points worse",
        r"\2 个有标签回答的质量为 \1，稳定版 \3：下降 \4 个点",
    ),
)
_KNOWN = tuple((re.compile(pattern), said) for pattern, said in _PHRASES)

_MARKS = tuple(
    (re.compile(pattern), mark)
    for pattern, mark in (
        (r"(?<=[\u4e00-\u9fff]) \(([^()]*)\)", r"（\1）"),
        (r"(?<=[\u4e00-\u9fff）]): ", "："),
        (r"; (?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff）]); ", "；"),
        (r"） (?=[\u4e00-\u9fff])", "）"),
    )
)
"""Punctuation beside what became Chinese."""


def in_chinese(text: str) -> str:
    """``text`` with what platforms word themselves in Chinese; the rest is quoted as it is."""
    said = text
    for pattern, words in _KNOWN:
        said = pattern.sub(words, said)
    if said == text:
        return text
    for pattern, mark in _MARKS:
        said = pattern.sub(mark, said)
    return said
