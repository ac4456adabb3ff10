"""What a request says of amounts: points, speed-ups, switches, kinds of rules, second thoughts."""

from __future__ import annotations

import pytest

from agent.offline.corrections import corrected
from agent.offline.fill import Material
from agent.offline.grammar import words
from agent.offline.mentions import find
from agent.offline.names import Gazetteer
from agent.offline.slots import choices, gains, params, switches
from agent.offline.text import fold, read
from tests.understanding.fleet import NAMES
from tests.understanding.test_arguments import filler


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("训10个epoch 用8进程", {"epochs": 10}),
        ("workers 4, epochs 20, lr 1e-4", {"epochs": 20, "lr": 0.0001}),
        ("epoch 8 seed 42", {"epochs": 8, "seed": 42}),
        ("it crashed in epoch 4", {}),
        ("第 4 个 epoch 挂了", {}),
    ],
)
def test_parameters_beside_other_numbers(said, found):
    merged = {}
    for _, value in sorted(params.find(fold(said)), key=lambda f: f[0].end - f[0].start):
        merged.update(value)
    assert merged == found


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ("ok with 0.3 pts less", 0.3),
        ("no more than half a point", 0.5),
        ("two points of accuracy at most", 2),
        ("one and a half points", 1.5),
        ("three tenths of a point", 0.3),
        ("a 2 point drop", 2),
        ("掉半个点我认了", 0.5),
        ("至多損失兩個點", 2),
        ("少两个点可以忍", 2),
        ("掉点不超过 1.5", 1.5),
        ("零点五个点", 0.5),
        ("每天 8 点", None),
        ("8 points to v3.2 of it", 8),
    ],
)
def test_points_of_accuracy(said, points):
    found = gains.points(fold(said))
    assert (found[1] if found else None) == points


@pytest.mark.parametrize(
    ("said", "factor"),
    [
        ("three times faster", 3),
        ("twice as fast", 2),
        ("1.5x quicker", 1.5),
        ("one and a half times as fast", 1.5),
        ("50 % faster", 1.5),
        ("speed it up by 50%", 1.5),
        ("until latency halves", 2),
        ("要1.5倍速", 1.5),
        ("速度提升至 1.5 倍", 1.5),
        ("快一倍", 2),
        ("by 40 %", None),
    ],
)
def test_speed_ups(said, factor):
    found = gains.factor(fold(said))
    assert (found[1] if found else None) == factor


@pytest.mark.parametrize(
    ("said", "on"),
    [
        ("先不启用", False),
        ("建好别开", False),
        ("switch the rule off", False),
        ("enabled=false", False),
        ("don't enable it yet", False),
        ("重新打开", True),
        ("enabled=true", True),
        ("马上启用", True),
        ("gpu over 90", None),
    ],
)
def test_rules_that_are_told_to_be_on_or_off(said, on):
    assert switches.find("enabled", fold(said)) is on


@pytest.mark.parametrize(
    ("said", "values", "value"),
    [
        ("qps掉到100以下", (">", "<"), "<"),
        ("throughput drops under 20", (">", "<"), "<"),
        ("a rate rule for loss", ("rate", "anomaly", "peer"), "rate"),
        ("if memory jumps quickly", ("rate", "anomaly", "peer"), "rate"),
        ("变化率太猛", ("rate", "anomaly", "peer"), "rate"),
        ("deviates from its peers", ("rate", "anomaly", "peer"), "peer"),
        ("跟其他卡不一样", ("rate", "anomaly", "peer"), "peer"),
        ("structurally", ("structured", "wanda"), "structured"),
        ("choose the scheme automatically", ("auto", "static", "dynamic"), "auto"),
    ],
)
def test_choices_in_words(said, values, value):
    assert {v for _, v in choices.find(fold(said), values)} == {value}


@pytest.mark.parametrize(
    ("tool", "said", "args"),
    [
        ("silence_alert", "mute ModelDrift for an hour, no, make it two", {"duration": "2h"}),
        ("silence_alert", "ModelDrift 压 90 分钟,哦改成 60 分钟", {"duration": "60m"}),
        ("launch_training", "train ranker for 20 epochs, no, 15", {"params": {"epochs": 15}}),
        ("export_model", "ranker as safetensors, sorry, I meant onnx", {"format": "onnx"}),
        ("prune_model", "ranker 剪三分之一不好算 就 0.35 吧", {"amount": 0.35}),
        ("gpu_processes", "gpu 2 - er, 3", {"gpu": 3}),
        ("scale", "ranker to 15... sorry, 16", {"replicas": 16}),
    ],
)
def test_what_was_taken_back(tool, said, args):
    text = read(said)
    mentions = find(text, Gazetteer(NAMES), words("ordinary"))
    text, kept = corrected(text, mentions)
    filled = filler(tool).fill(Material(text, kept)).args
    assert {name: filled.get(name) for name in args} == args
