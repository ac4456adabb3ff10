"""One short remedy for each named cause: what a person does about it, not what Steward does."""

from __future__ import annotations

import re

from tools.words import Lang

_REMEDIES: tuple[tuple[str, str, str], ...] = (
    (
        r"image cannot be pulled.*(unauthorized|denied|authentication|forbidden|401|403)",
        "give the pods an imagePullSecret that may read this repository",
        "为 Pod 配置能读取该仓库的 imagePullSecret",
    ),
    (
        r"image cannot be pulled.*(no such host|connection refused|i/o timeout|dial tcp|x509)",
        "check the registry's address in the image name, and that the nodes reach it",
        "检查镜像名中的仓库地址，以及节点能否访问它",
    ),
    (
        r"image cannot be pulled",
        "check the image's name and tag, and that it was pushed",
        "检查镜像名和标签，并确认镜像已推送",
    ),
    (
        r"crash loop.*(architecture|exec format)",
        "build the image for the nodes' processor",
        "按节点的处理器架构构建镜像",
    ),
    (
        r"crash loop.*(cannot start|is not found|cannot be executed)",
        "correct the container's command, or the image that lacks it",
        "更正容器的启动命令，或补全镜像",
    ),
    (
        r"crash loop.*init container",
        "read the init container's log and mend what it waits for or fails at",
        "查看初始化容器的日志，修复其失败原因",
    ),
    (
        r"crash loop",
        "read the log of the run that ended, and mend that version",
        "查看崩溃前的日志，修复该版本",
    ),
    (
        r"out of memory",
        "raise the memory limit, or use less (batch size, workers, a smaller model)",
        "提高内存上限，或降低占用（批大小、工作进程数、更小的模型）",
    ),
    (
        r"probe failing.*[Ll]iveness",
        "see in the log why it stops answering, or give the liveness probe more time",
        "查看日志确认为何停止响应，或放宽存活探针",
    ),
    (
        r"probe failing.*[Ss]tartup",
        "give the startup probe more time (failureThreshold), or make the start faster",
        "放宽启动探针（failureThreshold），或加快启动",
    ),
    (
        r"probe failing.*readiness gate",
        "see why the controller that sets this gate does not",
        "检查设置该就绪门控的控制器",
    ),
    (
        r"probe failing|not ready yet",
        "check the probe's path and port, and the log for what the server waits for",
        "检查探针的路径与端口，并在日志中查看服务在等待什么",
    ),
    (
        r"no capacity \(.*(taint|selector|affinity|spread|cordoned|node name)",
        "make a node fit (labels, taints, uncordon), or loosen the rule of the pods",
        "让节点满足条件（标签、污点、解除封锁），或放宽 Pod 的调度规则",
    ),
    (
        r"no capacity \(host port",
        "free the port, use fewer replicas than nodes, or do without hostPort",
        "释放该端口，副本数少于节点数，或不使用 hostPort",
    ),
    (
        r"no capacity",
        "add or free nodes with that resource, or ask for less of it",
        "增加或释放该资源的节点，或降低请求量",
    ),
    (
        r"quota \(limit range\)",
        "bring the containers' resources within the namespace's LimitRange",
        "将容器资源调整到命名空间 LimitRange 的范围内",
    ),
    (
        r"quota",
        "raise the namespace's quota, or free some of it, by what one more replica takes",
        "提高或腾出命名空间配额，至少够再多一个副本",
    ),
    (
        r"refused by policy",
        "change the pod template as the policy asks, or have the policy changed",
        "按策略要求修改 Pod 模板，或调整该策略",
    ),
    (
        r"bad config or secret",
        "create what is missing, or correct its name or key in the template",
        "创建缺失的对象，或更正模板中的名称或键",
    ),
    (
        r"volume cannot be mounted",
        "check the claim, its storage class, and whether another pod holds the volume",
        "检查 PVC、存储类，以及卷是否被其他 Pod 占用",
    ),
    (
        r"pod sandbox failing",
        "look at the network plug-in and the container runtime of that node",
        "检查该节点的网络插件和容器运行时",
    ),
    (
        r"node lost",
        "bring the node back, or drain and replace it",
        "恢复该节点，或排空并替换它",
    ),
    (
        r"stuck terminating.*finalizer",
        "see to the controller that owns the finalizer, then it goes by itself",
        "处理持有该 finalizer 的控制器，之后会自动删除",
    ),
    (
        r"stuck terminating",
        "look at its node; if the process is gone for good, delete the pod by force",
        "检查其节点；若进程确已不在，可强制删除该 Pod",
    ),
    (
        r"evicted",
        "free disk or memory on the node, or set requests that cover what it uses",
        "释放节点磁盘或内存，或设置与实际用量相符的 requests",
    ),
    (
        r"init container does not end",
        "read the init container's log for what it waits for",
        "查看初始化容器的日志，确认它在等待什么",
    ),
)


def remedy(cause: str, lang: Lang = "en") -> str:
    """What to do about a named cause, without a full stop; empty for a cause without a name."""
    for pattern, en, zh in _REMEDIES:
        if re.search(pattern, cause):
            return zh if lang == "zh" else en
    return ""
