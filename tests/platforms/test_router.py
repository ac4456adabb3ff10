"""Which platform a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import FakeClock, make_world
from tools.errors import BadArguments, Unavailable
from tools.fleet import DeploymentSpec, Fleet
from tools.platforms.double import DoublePlatform
from tools.platforms.router import Router

CLOCK = FakeClock()


@pytest.fixture
def here() -> DoublePlatform:
    return DoublePlatform("here", ["digits", "ml/fraud"], CLOCK)


@pytest.fixture
def there() -> DoublePlatform:
    return DoublePlatform("there", ["shop/fraud", "live-only"], CLOCK)


@pytest.fixture
def router(tmp_path: Path, here: DoublePlatform, there: DoublePlatform) -> Router:
    specs = {
        "digits": DeploymentSpec("digits", "here", aliases=("numbers",)),
        "ml/fraud": DeploymentSpec("fraud", "here", namespace="ml"),
        "shop/fraud": DeploymentSpec("fraud", "there", namespace="shop"),
    }
    fleet = Fleet(
        path=None, deployments=specs, platforms={"here": {"kind": "a"}, "there": {"kind": "b"}}
    )
    world = make_world(tmp_path, fleet=fleet, clock=CLOCK)
    return Router(world, {"a": lambda _w, _n, _o: here, "b": lambda _w, _n, _o: there})


@pytest.mark.parametrize(
    ("word", "platform", "ref"),
    [
        ("digits", "here", "digits"),
        ("numbers", "here", "digits"),
        ("ml/fraud", "here", "ml/fraud"),
        ("shop/fraud", "there", "shop/fraud"),
        ("live-only", "there", "live-only"),
    ],
)
def test_names_aliases_references_and_what_platforms_list(
    router: Router, word: str, platform: str, ref: str
) -> None:
    found, at = router.of(word)
    assert (found.name, at) == (platform, ref)


def test_an_ambiguous_name_lists_its_candidates(router: Router) -> None:
    with pytest.raises(BadArguments, match="ml/fraud on here or shop/fraud on there"):
        router.of("fraud")


def test_an_unknown_name_has_neighbours(router: Router) -> None:
    with pytest.raises(BadArguments, match="Did you mean digits"):
        router.of("digit")


def test_a_name_that_may_be_on_a_silent_platform_is_not_called_unknown(
    router: Router, there: DoublePlatform
) -> None:
    there.faults.unavailable = "timeout"
    with pytest.raises(Unavailable, match="there does not answer"):
        router.of("live-only")
    assert router.of("digits")[1] == "digits"


def test_an_unknown_kind_names_the_line_to_mend(tmp_path: Path) -> None:
    fleet = Fleet(path=None, platforms={"moon": {"kind": "lunar"}})
    router = Router(make_world(tmp_path, fleet=fleet), {})
    with pytest.raises(BadArguments, match=r"platforms\.moon\.kind is 'lunar'"):
        router.named("moon")
