"""The search of all output for tokens finds each token, in one process and in several."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.redaction import leaks, log_lines, tokens_in

ROOT = Path(__file__).parents[2]
LEAKING = """
import json
import charger_connect.handler

def test_that_leaks():
    body = json.dumps({"id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "chargerId": "CP-1", "tokenId": "04A2B3C4D5E6F7"})
    request = charger_connect.handler.read_request(body.encode(), "application/json")
    print(json.dumps({"level": "INFO", "message": "claimed", "token": PRINTED}))
"""


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "x", "tokenId": "04A2B3C4D5E6F7"}',
        "id=x&tokenId=04A2B3C4D5E6F7&chargerId=y",
        "<tokenId>04A2B3C4D5E6F7</tokenId>",
        '{"TOKENID":"04A2B3C4D5E6F7"}',
    ],
)
def test_tokens_are_found_in_requests_of_every_format(text: str) -> None:
    assert tokens_in(text) == {"04A2B3C4D5E6F7"}


def test_log_lines_are_searched_and_other_output_of_a_test_is_not() -> None:
    text = (
        'a test prints 04A2B3C4D5E6F7\n{"level": "INFO", "id": "04A2B3C4D5E6F7"}\nKeyError: 04A2B3C4D5E6F7\n'
    )
    assert len(log_lines(text)) == len(leaks(log_lines(text), ["04A2B3C4D5E6F7"])) == 2
    assert leaks(log_lines(text), ["04A2B3C4D5E6F8"]) == []


@pytest.mark.parametrize(
    ("printed", "processes", "status"),
    [("04A2B3C4D5E6F7", "0", 1), ("04A2B3C4D5E6F7", "1", 1), ("****E6F7", "1", 0)],
)
def test_a_test_whose_output_contains_a_token_fails(
    tmp_path: Path, processes: str, printed: str, status: int
) -> None:
    (tmp_path / "test_leaking.py").write_text(LEAKING.replace("PRINTED", json.dumps(printed)))
    command = [sys.executable, "-m", "pytest", "-p", "tests.redaction", "-p", "no:cacheprovider", "-q"]
    ran = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}", "-n", processes, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status, ran.stdout
    assert ("a token is in the log" in ran.stdout) is bool(status)
    assert "1 log lines of 1 tests searched for 1 tokens" in ran.stdout
