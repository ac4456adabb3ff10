"""Every knob, typed, with one sentence each. The only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import Unreadable


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The language model, if one is configured."""

    name: str
    """Model name as the endpoint knows it, without the ``openai:`` prefix."""
    base_url: str | None
    """OpenAI-compatible endpoint; ``None`` is the provider's default."""
    api_key: str
    timeout: float = 60.0
    """Seconds to wait for a response to begin and between pieces of it."""
    max_steps: int = 12
    """Model calls per turn."""
    max_tokens: int = 200_000
    """Input and output tokens per turn."""
    max_seconds: float = 300.0
    """Time per turn."""
    max_cost: float = 0.0
    """Money per turn, in the currency of the prices; 0 is no limit."""
    input_price: float = 0.0
    """Per million input tokens."""
    output_price: float = 0.0
    """Per million output tokens."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Slack's secrets; what Slack may do is the ``slack`` section of steward.yaml."""

    bot_token: str
    """SLACK_BOT_TOKEN, ``xoxb-…``."""
    app_token: str | None = None
    """SLACK_APP_TOKEN, ``xapp-…``: Socket Mode."""
    signing_secret: str | None = None
    """SLACK_SIGNING_SECRET: HTTP mode."""
    api_url: str = "https://slack.com/api/"
    """SLACK_API_URL: another address of the Web API (a proxy, a stand-in)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where state lives, which fleet, which brain."""

    home: Path
    """STEWARD_HOME: all state. Default ``~/.local/state/steward``."""
    fleet: Path | None
    """STEWARD_FLEET or --fleet; otherwise ./steward.yaml, then the configuration folder."""
    database: str | None
    """STEWARD_DATABASE: a Postgres URL; default SQLite in the home."""
    model: ModelSettings | None
    """STEWARD_MODEL, STEWARD_BASE_URL, STEWARD_API_KEY (or OPENAI_API_KEY)."""
    user: str
    """The unix user at this terminal."""
    colour: bool
    """Off when NO_COLOR is set or TERM is dumb."""
    slack: SlackSettings | None = None
    """Slack, when SLACK_BOT_TOKEN is set."""


def load(environment: Mapping[str, str] | None = None, *, fleet: str | None = None) -> Settings:
    """Read the environment.

    Raises:
        Unreadable: a variable has an impossible value; says which and what is accepted.
    """
    env = os.environ if environment is None else environment
    state = Path(
        env.get("XDG_STATE_HOME") or Path(env.get("HOME", "~")).expanduser() / ".local/state"
    )
    home = Path(env.get("STEWARD_HOME") or state / "steward").expanduser()
    return Settings(
        home=home,
        fleet=_fleet(env, fleet),
        database=env.get("STEWARD_DATABASE") or None,
        model=_model(env),
        user=env.get("STEWARD_USER") or env.get("USER") or env.get("LOGNAME") or "local",
        colour="NO_COLOR" not in env and env.get("TERM") != "dumb",
        slack=_slack(env),
    )


def _fleet(env: Mapping[str, str], given: str | None) -> Path | None:
    named = given or env.get("STEWARD_FLEET")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise Unreadable(
                f"There is no fleet file {str(path)!r}; check --fleet or STEWARD_FLEET."
            )
        return path
    config = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME", "~")).expanduser() / ".config")
    for path in (Path("steward.yaml"), config / "steward/steward.yaml"):
        if path.is_file():
            return path
    return None


def _model(env: Mapping[str, str]) -> ModelSettings | None:
    name = env.get("STEWARD_MODEL")
    if not name:
        return None
    return ModelSettings(
        name=name.removeprefix("openai:"),
        base_url=env.get("STEWARD_BASE_URL") or env.get("OPENAI_BASE_URL") or None,
        api_key=env.get("STEWARD_API_KEY") or env.get("OPENAI_API_KEY") or "none",
        timeout=_number(env, "STEWARD_MODEL_TIMEOUT", 60.0),
        max_steps=int(_number(env, "STEWARD_MAX_STEPS", 12)),
        max_tokens=int(_number(env, "STEWARD_MAX_TOKENS", 200_000)),
        max_seconds=_number(env, "STEWARD_MAX_SECONDS", 300.0),
        max_cost=_number(env, "STEWARD_MAX_COST", 0.0),
        input_price=_number(env, "STEWARD_INPUT_PRICE", 0.0),
        output_price=_number(env, "STEWARD_OUTPUT_PRICE", 0.0),
    )


def _slack(env: Mapping[str, str]) -> SlackSettings | None:
    token = env.get("SLACK_BOT_TOKEN")
    if not token:
        return None
    return SlackSettings(
        bot_token=token,
        app_token=env.get("SLACK_APP_TOKEN") or None,
        signing_secret=env.get("SLACK_SIGNING_SECRET") or None,
        api_url=env.get("SLACK_API_URL") or "https://slack.com/api/",
    )


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise Unreadable(f"{name} is {text!r}; it must be a number of at least 0.")
    return value
