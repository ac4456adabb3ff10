"""Reading the registry: which models and versions there are, and how two versions differ."""

from __future__ import annotations

from tools.contract import Finding, Phrases, reading
from tools.errors import BadArguments
from tools.models.asking import ASKING
from tools.models.comparison import compared
from tools.models.naming import known
from tools.models.tracing import traced
from tools.models.version_findings import ModelLine, ModelsFound, VersionsFound, version_line
from tools.words import Deployment, Model, Version
from tools.world import World


@reading(
    Phrases(
        en=(
            "list models",
            "which models do we have",
            "show me all registered models",
            "what models are in the registry",
            "what is in the model registry",
            "which model versions are in production",
            "what models can you train",
            "model overview",
        ),
        zh=(
            "列出所有模型",
            "我们有哪些模型",
            "模型仓库里有什么",
            "有哪些已注册的模型",
            "现在可以训练哪些模型",
            "看看模型列表",
        ),
    )
)
def list_models(world: World) -> Finding:
    """List the models with their newest and production versions."""
    specs, registry = world.fleet.models, world.registry
    names = list(dict.fromkeys([*specs, *registry.models()]))
    lines: list[ModelLine] = []
    for name in names:
        versions = registry.versions(name)
        live = [v for v in versions if "production" in v.aliases]
        shown = (live or [*versions])[:1]
        lines.append(
            ModelLine(
                name=name,
                kind=specs[name].kind if name in specs else "registered",
                versions=len(versions),
                newest=versions[0].number if versions else None,
                production=live[0].number if live else None,
                accuracy=shown[0].metrics.get("accuracy") if shown else None,
            )
        )
    return ModelsFound(tuple(lines))


@reading(
    Phrases(
        en=(
            "list versions of {model}",
            "which versions of {model} are there",
            "show {model} versions",
            "what versions does {model} have",
            "version history of {model} in the registry",
            "how accurate are the versions of {model}",
            "which version of {model} is in production",
            "what is the latest version of {model}",
            "all registered {model} versions with accuracy",
        ),
        zh=(
            "列出 {model} 的所有版本",
            "{model} 有哪些版本",
            "{model} 的最新版本是哪个",
            "{model} 现在 production 是哪个版本",
            "查看 {model} 的版本历史",
            "{model} 各版本的准确率",
            "{model} 注册了几个版本",
        ),
    )
)
def list_versions(world: World, model: Model) -> Finding:
    """List the registered versions of a model with metrics, aliases and origin."""
    name = known(world, model)
    found = tuple(version_line(v) for v in world.registry.versions(name))
    return VersionsFound(name, found, world.clock.now())


@reading(
    Phrases(
        en=(
            "compare {model} {a} with {b}",
            "compare versions {a} and {b} of {model}",
            "{model} {a} vs {b}",
            "is {model} version {a} better than {b}",
            "what is the difference between {model} {a} and {b}",
            "how does {model} {a} compare to {b}",
            "which is more accurate, {model} {a} or {b}",
            "did {model} {a} get worse than {b}",
            "compare speed and size of {model} {a} and {b}",
            "diff {model} versions {a} and {b}",
        ),
        zh=(
            "比较 {model} 的 {a} 和 {b}",
            "对比 {model} 版本 {a} 与版本 {b}",
            "{model} 的 {a} 和 {b} 有什么区别",
            "{model} {a} 比 {b} 好吗",
            "{model} {a} 跟 {b} 比一下",
            "{model} 的 {a} 和 {b} 哪个更准",
            "{model} 第 {a} 版和第 {b} 版差在哪",
        ),
    ),
    seconds=ASKING,
)
def compare_versions(world: World, model: Model, a: Version, b: Version) -> Finding:
    """Compare two versions of a model: accuracy with interval, flips, size, latency."""
    name = known(world, model)
    first, second = world.registry.resolve(name, a), world.registry.resolve(name, b)
    if first.number == second.number:
        raise BadArguments(
            f"{a} and {b} are both version {first.number} of {name}; name two versions.",
            f"{a} 和 {b} 都是 {name} 的版本 {first.number}；请给出两个版本。",
        )
    return compared(world, name, first, second)


@reading(
    Phrases(
        en=(
            "where does {model} version {version} come from",
            "lineage of {model} {version}",
            "show the lineage of {model}",
            "trace {deployment} back to its training data",
            "what was {model} {version} trained on",
            "who approved the version that {deployment} serves",
            "which job produced {model} {version}",
            "provenance of {model} {version}",
            "which data and code made {model} {version}",
        ),
        zh=(
            "{model} 版本 {version} 是怎么来的",
            "{model} {version} 的血缘",
            "追溯 {deployment} 的模型来源",
            "{model} {version} 用什么数据训练的",
            "{deployment} 上的版本是谁批准的",
            "{model} {version} 是哪个任务产出的",
            "查看 {model} 的来源和血缘关系",
        ),
    )
)
def model_lineage(
    world: World,
    model: Model | None = None,
    version: Version | None = None,
    deployment: Deployment | None = None,
) -> Finding:
    """Trace a version or deployment back to parent, job, data, code and who said yes."""
    return traced(world, model, version, deployment)
