"""Typed pieces of a request: numbers, times, shares, codes, schedules, metrics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offline.slots import (
    durations,
    fractions,
    identifiers,
    metrics,
    numbers,
    params,
    schedule,
)
from agent.offline.text import fold, language, read
from tools.words import parse_window


def longest(found):
    return min(found, key=lambda f: f[0].start - f[0].end)[1]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("three", 3),
        ("twenty-five", 25),
        ("seventy nine", 79),
        ("a dozen", 12),
        ("a hundred", 100),
        ("a couple of", 2),
        ("两", 2),
        ("二十五", 25),
        ("一百二十", 120),
        ("十六", 16),
        ("third", 3),
    ],
)
def test_numbers_in_words(said, value):
    assert numbers.value(said) == value


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ("over the last two hours", "2h"),
        ("past quarter of an hour", "15m"),
        ("half an hour", "30m"),
        ("an hour and a half", "90m"),
        ("past 30 mins", "30m"),
        ("two weeks", "14d"),
        ("1h30m", "1h30m"),
        ("since yesterday", "1d"),
        ("last week", "7d"),
        ("24h", "24h"),
        ("过去三小时", "3h"),
        ("半小时内", "30m"),
        ("最近俩小时", "2h"),
        ("一个半小时", "90m"),
        ("近三天", "3d"),
        ("昨天", "1d"),
        ("上周", "7d"),
    ],
)
def test_durations(said, window):
    assert longest(durations.find(fold(said))) == window


@given(st.integers(1, 300), st.sampled_from(["s", "m", "h", "d"]))
def test_a_written_duration_is_found_as_it_stands(amount, unit):
    window = longest(durations.find(f"logs of ranker for the last {amount}{unit}"))
    assert parse_window(window) == parse_window(f"{amount}{unit}")


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ("40%", 0.4),
        ("60 % of", 0.6),
        ("ten percent", 0.1),
        ("by half", 0.5),
        ("a third", 0.3333),
        ("a quarter", 0.25),
        ("0.35", 0.35),
        ("四成", 0.4),
        ("三成半", 0.35),
        ("百分之六十", 0.6),
        ("三分之一", 0.3333),
        ("一半", 0.5),
    ],
)
def test_shares(said, share):
    assert longest(fractions.find(fold(said))) == pytest.approx(share)


@pytest.mark.parametrize(
    ("said", "kind", "value"),
    [
        ("what is Xid (PCI:0000:3b:00): 63", "xid", "63"),
        ("xid seventy-nine", "xid", "79"),
        ("xid45", "xid", "45"),
        ("XID 七十四", "xid", "74"),
        ("how is gpu two", "gpu", "2"),
        ("看下3号卡", "gpu", "3"),
        ("action #7", "action", "7"),
        ("九号操作", "action", "9"),
        ("revision 4", "revision", "4"),
        ("its third revision", "revision", "3"),
        ("第二个修订版", "revision", "2"),
        ("v12", "version", "12"),
        ("version ten", "version", "10"),
        ("第七版", "version", "7"),
        ("sample 42", "sample", "42"),
        ("17 号样本", "sample", "17"),
    ],
)
def test_numbers_that_name_something(said, kind, value):
    assert (kind, value) in {(k, v) for k, _, _, v in identifiers.find(fold(said))}


@pytest.mark.parametrize(
    ("said", "cron"),
    [
        ("every day at 9", "0 9 * * *"),
        ("on Mondays at 8am", "0 8 * * 1"),
        ("daily at 18:30", "30 18 * * *"),
        ("every friday 5pm", "0 17 * * 5"),
        ("hourly", "0 * * * *"),
        ("weekdays at 10", "0 10 * * 1-5"),
        ("wednesdays at noon", "0 12 * * 3"),
        ("on the first of every month at 9am", "0 9 1 * *"),
        ("every 6 hours", "0 */6 * * *"),
        ("0 9 * * 1-5", "0 9 * * 1-5"),
        ("每天早上9点", "0 9 * * *"),
        ("每周一八点", "0 8 * * 1"),
        ("日报，晚上六点半", "30 18 * * *"),
        ("每周五下午5点", "0 17 * * 5"),
        ("工作日十点", "0 10 * * 1-5"),
        ("每小时整点", "0 * * * *"),
        ("每月1号上午九点", "0 9 1 * *"),
    ],
)
def test_schedules(said, cron):
    found = schedule.find(fold(said))
    assert found is not None
    assert found[1] == cron


@pytest.mark.parametrize(
    "said", ["send summaries to #ml-oncall", "at 9", "every monday", "定个总结"]
)
def test_half_a_schedule_is_none(said):
    assert schedule.find(fold(said)) is None


@pytest.mark.parametrize(
    ("said", "metric"),
    [
        ("p95 latency", "latency_p95"),
        ("95th percentile", "latency_p95"),
        ("5xx", "error_rate"),
        ("requests per second", "throughput"),
        ("队列长度", "queue_depth"),
        ("显存占用", "gpu_memory"),
        ("GPU利用率", "gpu_utilization"),
        ("記憶體", "memory"),
    ],
)
def test_metrics(said, metric):
    found = sorted(metrics.find(fold(said)), key=lambda f: f[0].start - f[0].end)
    assert found[0][1] == metric


def test_training_parameters():
    merged = {}
    for _, value in params.find("lr 0.001, batch_size=64, for 20 epochs"):
        merged.update(value)
    assert merged == {"lr": 0.001, "batch_size": 64, "epochs": 20}


@given(st.text())
def test_folding_keeps_every_offset(raw):
    text = read(raw)
    assert len(text.raw) == len(text.low) == len(raw)


@pytest.mark.parametrize(
    ("said", "lang"),
    [("restart ranker", "en"), ("重启 ranker", "zh"), ("rollback digits，马上", "zh"), ("", "en")],
)
def test_the_language_is_that_of_the_sentence(said, lang):
    assert language(said) == lang
