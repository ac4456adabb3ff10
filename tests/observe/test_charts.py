"""Charts: what a reader needs is on them, within the width, and the PNG is a real picture."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.observe.worlds import NOW, action, observed, wave
from tools.errors import BadArguments, Unavailable
from tools.observe.base import Series
from tools.observe.chart_png import write
from tools.observe.chart_text import WIDTH, letters, render, short_names, sparkline
from tools.observe.plot_metric import plot_metric


def series(unit: str = "%", n: int = 60, **labels: str) -> Series:
    start = NOW - timedelta(minutes=n)
    points = tuple((start + timedelta(minutes=i), 40 + 30 * math.sin(i / 5)) for i in range(n))
    return Series("cpu_percent", labels, unit, points)


def test_axes_carry_units_times_and_marks() -> None:
    marks = letters([(NOW - timedelta(minutes=30), "Roll out digits version 2 (action 12)")])
    text = render([series()], "CPU use, last 1 h", marks)
    assert text.splitlines()[0] == "CPU use, last 1 h"
    assert "100 %" in text
    assert "11:00" in text
    assert "UTC" in text
    assert "A 11:30:00 Roll out digits version 2 (action 12)" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_several_series_have_a_legend_of_what_tells_them_apart() -> None:
    several = [series(gpu=str(i), instance="n1", job="dcgm") for i in range(3)]
    assert short_names(several) == ("gpu=0", "gpu=1", "gpu=2")
    text = render(several, "GPU", ascii_only=True)
    assert text.isascii()
    assert "* gpu=0" in text


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=50),
    unit=st.sampled_from(["%", "bytes", "s", "", "°C", "bytes/s"]),
)
def test_any_numbers_make_a_chart_of_the_same_width(values: list[float], unit: str) -> None:
    points = tuple((NOW + timedelta(seconds=i), v) for i, v in enumerate(values))
    one = Series("m", {}, unit, points)
    assert max(map(len, render([one], "t").splitlines())) <= WIDTH
    assert len(sparkline(points)) <= 40


@pytest.mark.parametrize("unit", ["%", "bytes", "s", ""])
def test_the_png_is_a_picture_with_something_on_it(tmp_path: Path, unit: str) -> None:
    from matplotlib.image import imread

    marks = letters([(NOW - timedelta(minutes=20), "部署 digits $2 (action 3)")])
    path = tmp_path / "charts/a.png"
    write(path, [series(unit, gpu="0"), series(unit, gpu="1")], "Title", "label", marks)
    picture = imread(path)
    assert picture.shape == (600, 1200, 4)
    assert picture[:, :, :3].std() > 0.05
    assert list(path.parent.iterdir()) == [path], "no half-written file is left"


def test_a_chart_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "charts").write_text("a file where a folder should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        write(tmp_path / "charts/a.png", [series()], "t", "l")


def test_plotting_marks_deployments_and_names_the_file(tmp_path: Path) -> None:
    at = NOW - timedelta(minutes=30)
    rows = [action(12, "Roll out digits version 2 to digits", at, "deployment/digits")]
    world = observed(tmp_path, actions=rows)
    world.port("telemetry").record(wave("cpu_percent", [20.0] * 100 + [80.0] * 100))
    finding = plot_metric.read(world, metric="cpu", window="1h")  # pyright: ignore[reportOptionalCall]
    assert finding.path.parent == tmp_path / "charts"
    assert finding.path.exists()
    said = finding.say("en")
    assert said.startswith("CPU use over the last 1 h; now cpu_percent 80 %.")
    assert "Roll out digits version 2 to digits (verified, action 12)" in said
    assert str(finding.path) in said
    assert "最近 1 小时" in finding.say("zh")


def test_a_name_from_a_chat_cannot_leave_the_folder(tmp_path: Path) -> None:
    world = observed(tmp_path)
    world.port("telemetry").record(wave("../../etc/passwd", [1.0, 2.0]))
    with pytest.raises(BadArguments):
        plot_metric.read(world, metric="../../etc/passwd", window="1h")  # pyright: ignore[reportOptionalCall]


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nothing to draw"):
        plot_metric.read(observed(tmp_path), metric="train_loss", window="1h")  # pyright: ignore[reportOptionalCall]


def test_a_single_sample_is_drawn_on_an_axis_of_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.dates import num2date
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    real = Figure.add_subplot

    def keep(self: Figure, *args: object, **kwargs: object) -> object:
        drawn.append(self)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "add_subplot", keep)
    write(tmp_path / "one.png", [series(n=1)], "CPU", "cpu_percent (%)")
    left, right = (num2date(x) for x in drawn[0].axes[0].get_xlim())
    assert right - left <= timedelta(minutes=2)
