"""The options of the local stack: from the command line, else from the environment, else the default."""

from __future__ import annotations

import pytest

from local.options import read_options


@pytest.fixture(autouse=True)
def _no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["local"])
    monkeypatch.delenv("CHARGE_SECONDS", raising=False)


def test_a_charge_takes_five_seconds_unless_the_user_sets_another_duration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_options("").charge_seconds == 5
    monkeypatch.setenv("CHARGE_SECONDS", "600")
    assert read_options("").charge_seconds == 600
    monkeypatch.setattr("sys.argv", ["local", "--charge-seconds=0.5"])
    assert read_options("").charge_seconds == 0.5


@pytest.mark.parametrize("text", ["x", "-1", "nan", "inf"])
def test_a_duration_that_cannot_be_used_is_rejected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv("CHARGE_SECONDS", text)
    with pytest.raises(SystemExit, match="2"):
        read_options("")
    assert "is not a number of seconds" in capsys.readouterr().err
