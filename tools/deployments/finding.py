"""Finding the deployment, the model version and the release that an action is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.contract import Json, Target
from tools.errors import BadArguments, Refused
from tools.fleet import DeploymentSpec
from tools.models.base import ModelVersion
from tools.platforms.base import Platform, Release, Status
from tools.world import World


@dataclass(frozen=True, slots=True)
class Found:
    """A deployment as it is now, with its platform and the fleet's word on it."""

    platform: Platform
    ref: str
    status: Status
    spec: DeploymentSpec | None

    @property
    def options(self) -> Mapping[str, Json]:
        """Its options in steward.yaml."""
        return self.spec.options if self.spec else {}

    @property
    def target(self) -> Target:
        """What an action binds to."""
        return Target("deployment", self.ref, self.status.uid, self.status.generation)

    def number(self, option: str, default: float) -> float:
        """A number among the options; raises ``BadArguments`` when it is none."""
        value = self.options.get(option, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise BadArguments(
                f"deployments.{self.ref}.options.{option} is {value!r}; write a number.",
                f"deployments.{self.ref}.options.{option} 为 {value!r}；应为数字。",
            )
        return float(value)


def find(world: World, name: str) -> Found:
    """The deployment a person means; raises ``BadArguments`` with the nearest names."""
    platform, ref = world.platforms.of(name)
    specs = world.fleet.deployments.values()
    spec = next((s for s in specs if s.ref == ref and s.platform == platform.name), None)
    return Found(platform, ref, platform.status(ref), spec)


def model_of(found: Found) -> str:
    """The model a deployment serves; raises ``BadArguments`` when nothing says which."""
    model = found.spec.model if found.spec and found.spec.model else found.status.release.model
    if not model:
        raise BadArguments(
            f"steward.yaml does not say which model {found.ref} serves; add "
            f"deployments.{found.ref}.model.",
            f"steward.yaml 没有说明 {found.ref} 提供哪个模型；请添加 deployments.{found.ref}.model。",
        )
    return model


def release_of(world: World, found: Found, version: ModelVersion) -> Release:
    """The release that serves ``version`` here: its weights and the fleet's configuration."""
    config: dict[str, Json] = {"format": version.format}
    for name in ("threads", "env", "args", "resources"):
        if name in found.options:
            config[name] = found.options[name]
    kind = world.fleet.models.get(version.model)
    if version.format != "onnx" and kind is not None:
        config["module"] = str((kind.root / kind.module).resolve())
        config["params"] = _trained_with(version)
    image = found.options.get("image")
    return Release(
        model=version.model,
        version=str(version.number),
        digest=version.digest,
        artifact=str(version.path),
        image=_image(found, str(image), version) if image else None,
        config=config,
    )


def _image(found: Found, pattern: str, version: ModelVersion) -> str:
    digest = (version.digest or "").removeprefix("sha256:")
    try:
        return pattern.format(
            model=version.model, version=version.number, digest=digest, digest12=digest[:12]
        )
    except (KeyError, IndexError, ValueError) as error:
        raise BadArguments(
            f"deployments.{found.ref}.options.image is {pattern!r}; {error} is not among {{model}},"
            " {version}, {digest} and {digest12}.",
            f"deployments.{found.ref}.options.image 为 {pattern!r}；只能使用 {{model}}、{{version}}、"
            "{digest} 与 {digest12}。",
        ) from error


def _trained_with(version: ModelVersion) -> dict[str, Json]:
    params = version.lineage.get("params")
    return dict(params) if isinstance(params, dict) else {}


def refuse_loss(version: ModelVersion, ref: str, accepted: float | None) -> None:
    """Raise ``Refused`` when the quality gate held ``version`` back and nobody accepts the loss."""
    gate = version.gate
    if gate.get("passed") is not False:
        return
    low = gate.get("low")
    loss = -100 * low if isinstance(low, int | float) else None
    if accepted is not None and (loss is None or accepted + 1e-9 >= round(loss, 1)):
        return
    name = f"{version.model} version {version.number}"
    against = gate.get("against")
    what = f"it could lose {loss:.1f} points of accuracy" if loss is not None else "it may be worse"
    zh_what = f"可能损失 {loss:.1f} 个点的准确率" if loss is not None else "可能更差"
    compared = f" against version {against}" if against is not None else ""
    points = f"{loss:.1f}" if loss is not None else "N"
    raise Refused(
        f"{name} did not pass its quality gate: {what}{compared}. To serve it all the same, say: "
        f"roll out {version.number} to {ref} and accept a loss of {points} points.",
        f"{version.model} 版本 {version.number} 未通过质量门：{zh_what}"
        f"{f'（对比版本 {against}）' if against is not None else ''}。"
        f"若仍要发布，请说：发布 {version.number} 到 {ref}，接受 {points} 个点的损失。",
    )


def quality(version: ModelVersion | None) -> str:
    """``accuracy 97.2 %`` when the registry knows it."""
    accuracy = version.metrics.get("accuracy") if version else None
    return f"accuracy {accuracy:.1%}" if accuracy is not None else ""


def known_version(world: World, model: str | None, version: str | None) -> ModelVersion | None:
    """A registered version, or ``None`` where the registry does not know it."""
    if not model or not version:
        return None
    try:
        return world.registry.resolve(model, version)
    except BadArguments:
        return None
