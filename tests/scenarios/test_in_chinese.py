"""A change from the question to the verdict, in Chinese, through the command line."""

from __future__ import annotations

from pathlib import Path

from tests.scenarios.test_first_day import Steward


def test_a_change_is_asked_for_approved_and_told_in_chinese(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "steward.yaml").write_text(
        "language: zh\npeople:\n  ana: {unix: ana}\npolicy:\n  approvers: {'*': [ana]}\n"
    )
    steward = Steward(home)
    steward.environment["STEWARD_FLEET"] = str(home / "steward.yaml")
    card = steward("ask", "cpu_percent 超过 95 时告警", expect=3)
    assert "操作 1：设置告警规则 cpu_percent_above：cpu_percent > 95 %" in card
    assert "验证        读回该规则并求值一次（30 秒内）" in card
    told = steward("actions", "approve", "1")
    assert "操作 1 已完成并验证：设置告警规则 cpu_percent_above" in told
    assert "读回与设置一致。" in told
    assert "Set the alert rule" not in card + told
    listed = steward("ask", "操作 1 的详情")
    assert "结果：告警规则 cpu_percent_above 已设置" in listed
    assert "Set the alert rule" not in listed + steward("actions", "list")
    assert "The ledger is whole" in steward("actions", "verify")
