"""Typed pieces of a request: numbers, times, shares, codes, schedules, metrics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offline.slots import (
    causes,
    choices,
    counts,
    durations,
    files,
    fractions,
    identifiers,
    metrics,
    numbers,
    params,
    samples,
    schedule,
)
from agent.offline.text import Span, fold, language, read
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
        ("the whole week", "7d"),
        ("for the previous day", "1d"),
        ("一刻钟", "15m"),
        ("半天", "12h"),
        ("近一周", "7d"),
        ("the past eight hours", "8h"),
        ("overnight", "12h"),
        ("what did i miss last night", "12h"),
        ("昨晚", "12h"),
        ("今晚", "12h"),
        ("all week", "7d"),
        ("last hr", "1h"),
        ("1hr 30min", "1h30m"),
        ("1小时20分", "1h20m"),
        ("the last day and a half", "36h"),
    ],
)
def test_durations(said, window):
    assert longest(durations.find(fold(said))) == window


@pytest.mark.parametrize(
    "said",
    [
        "seeing 502s from ranker",
        "503s again",
        "ranker 21 w/ static",
        "gpu 3",
        "v14",
        "sample 42",
        "敲个字都半天",
    ],
)
def test_what_only_looks_like_a_duration(said):
    assert list(durations.find(fold(said))) == []


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
        ("two fifths", 0.4),
        ("three quarters", 0.75),
        ("quarter of the heads", 0.25),
        ("half a percent", 0.005),
        ("砍半", 0.5),
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
        ("a 94 Xid", "xid", "94"),
        ("63 号 xid", "xid", "63"),
        ("nvidia 报错码 13", "xid", "13"),
        ("卡2有没有错", "gpu", "2"),
        ("somebody is on gpu 2. who?", "gpu", "2"),
        ("the H100 in slot 7", "gpu", "7"),
        ("ledger entry 9", "action", "9"),
        ("42 号单子", "action", "42"),
        ("v3/v4", "version", "4"),
        ("release 2.1.0 of it", "version", "2.1.0"),
    ],
)
def test_numbers_that_name_something(said, kind, value):
    assert (kind, value) in {(k, v) for k, _, _, v in identifiers.find(fold(said))}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("silence XidErrors one day", "xid"),
        ("int8 version of ranker", "version"),
        ("动态量化一版", "version"),
        ("退一版", "version"),
    ],
)
def test_numbers_that_name_nothing(said, kind):
    assert kind not in {k for k, _, _, _ in identifiers.find(fold(said))}


@pytest.mark.parametrize(
    ("said", "amount", "unit"),
    [
        ("ranker x6", 6, ""),
        ("down to two", 2, ""),
        ("归零", 0, ""),
        ("scale it to zero", 0, ""),
        ("加到 6 个", 6, ""),
        ("减到一个", 1, ""),
        ("留一个就行", 1, ""),
        ("100 trials", 100, "trials"),
        ("8 个 worker", 8, "workers"),
        ("并行 8", 8, "workers"),
        ("十二个实例", 12, "replicas"),
        ("half a dozen pods", 6, "replicas"),
        ("缩成俩就行", 2, ""),
        ("50x w/ 2 procs", 50, "trials"),
        ("4 in parallel", 4, "workers"),
        ("双卡", 2, "workers"),
        ("试个 15 把", 15, "trials"),
        ("over 1.5k", 1500, ""),
    ],
)
def test_counts(said, amount, unit):
    assert (amount, unit) in {(n, u) for _, _, n, u in counts.find(fold(said))}


@pytest.mark.parametrize("said", ["做一轮搜索", "the fp32 one", "the production one", "that one"])
def test_one_that_counts_nothing(said):
    assert list(counts.find(fold(said))) == []


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("load /mnt/in/best.pt into it", ["/mnt/in/best.pt"]),
        ("bring ckpts/final.bin in", ["ckpts/final.bin"]),
        ("there's a leads.safetensors in /tmp/up - take it", ["/tmp/up", "leads.safetensors"]),
        ("load ~/ckpt/best.pth", ["~/ckpt/best.pth"]),
        ("外包给的权重 vendor_ocr.pth 收进来", ["vendor_ocr.pth"]),
        ("把/data/ckpt/asr.pt导进来", ["/data/ckpt/asr.pt"]),
        ("from s3://bucket/m/a.safetensors", ["s3://bucket/m/a.safetensors"]),
        ("nothing of the kind", []),
    ],
)
def test_files(said, path):
    assert [said[s.start : s.end] for s in files.find(fold(said))] == path


@pytest.mark.parametrize(
    ("said", "sample"),
    [
        ("sample is lead_99812", "lead_99812"),
        ("94 minutes for trip-20031", "trip-20031"),
        ("read INV-5520 as a name", "INV-5520"),
        ("话 img_9012.jpg 違規", "img_9012.jpg"),
        ("recsys-v2 said no", ""),
    ],
)
def test_identifiers_of_samples(said, sample):
    found = samples.find(fold(said), ())
    assert "".join(said[s.start : s.end] for s in found) == sample


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("log the root cause of @A: core dumps piling up", "core dumps piling up"),
        ("remember for next time: @A = learning rate too high", "learning rate too high"),
        ("We verified it, @A came from a stuck consumer. Please store this", "a stuck consumer"),
        (
            "set the cause of @A to certificate rotation, so the diagnosis learns",
            "certificate rotation",
        ),
        ("mark credential stuffing as the confirmed root cause for @A", "credential stuffing"),
        ("note it down, confirmed: bad riser cable behind @A", "bad riser cable"),
        ("take back the cause nfs outage for @A, that was wrong", "nfs outage"),
        ("@A: root cause = expired cert", "expired cert"),
        ("@A 查清楚了,是连接池打满,记下来", "连接池打满"),
        ("把 @A 的根因登记为风扇故障", "风扇故障"),
        ("@A 的原因确认了，记一下：缓存被打穿", "缓存被打穿"),
        ("@A 確認是 TLS 憑證過期造成的,請存檔", "TLS 憑證過期"),
        ("what broke?", None),
        ("@A 原因记下 特征平台超时", "特征平台超时"),
        ("@A 根因是 redis 主从切换 落个档", "redis 主从切换"),
        ("@A 查明了 学习率太大 给记到案底里", "学习率太大"),
        ("之前给 @A 记的 电源老化 不对 撤回", "电源老化"),
        ("@A confirmed = dust in the filters. log it pls", "dust in the filters"),
        ("@A happened because the fan of rack 7 was blocked", "the fan of rack 7 was blocked"),
        ("for the record, @A was a cold cache. We verified it, so save that", "a cold cache"),
    ],
)
def test_causes(said, cause):
    at = said.find("@A")
    assert causes.cause(said, Span(at, at + 2) if at >= 0 else None) == cause


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("a few pods first", "canary"),
        ("小流量先行", "canary"),
        ("金絲雀方式", "canary"),
        ("蓝绿", "blue_green"),
        ("pod by pod", "rolling"),
        ("逐个替换", "rolling"),
    ],
)
def test_strategies(said, value):
    found = [v for _, v in choices.find(fold(said), ("rolling", "canary", "blue_green"))]
    assert found == [value]


@pytest.mark.parametrize(
    "query",
    [
        'rate(http_requests_total{code=~"5.."}[5m])',
        'sum(rate(http_requests_total{code=~"5..[)}]"}[5m])) by (service)',
        'avg by (instance) (rate(cpu_seconds_total{mode!="idle"}[5m]))',
        "sum(increase(errors_total[1h])) / sum(increase(requests_total[1h]))",
        'up{job="serving"}',
    ],
)
@pytest.mark.parametrize("frame", ["{} over 1h", "run this: {}", "查个 PromQL:{},看最近一小时"])
def test_promql_is_taken_whole(query, frame):
    said = frame.format(query)
    found = [said[s.start : s.end] for s in metrics.expressions(fold(said))]
    assert found == [query]


@given(st.text(max_size=60))
def test_no_bracket_takes_the_reader_astray(raw):
    low = fold(f"sum(rate({raw}")
    assert all(0 <= s.start < s.end <= len(low) for s in metrics.expressions(low))


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
        ("每晚十一点", "0 23 * * *"),
        ("Sunday evenings at 8 pm", "0 20 * * 0"),
        ("每周三 14 点", "0 14 * * 3"),
        ("every weekday at half past six", "30 6 * * 1-5"),
        ("daily at quarter to ten", "45 9 * * *"),
        ("every night at 11", "0 23 * * *"),
        ("每周一三五 9 点", "0 9 * * 1,3,5"),
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
