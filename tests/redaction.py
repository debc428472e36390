"""A pytest plugin that fails each test whose log lines contain the token of a request.

It is always active. It searches the log lines in the output that pytest captured (standard output,
standard error, log records), in every process of pytest-xdist. With ``-s`` nothing is captured, and the summary says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 10  # characters; a shorter token can be part of a timestamp or an id by chance
_TOKEN_FIELD = re.compile(r"""tokenId(?:"\s*:\s*"|=|>)(?P<token>[^"&<>\s\\']{10,36})""", re.IGNORECASE)
_LOG_LINE = re.compile(r'"(?:level|_aws)":|Traceback|^\S*(?:Error|Exception)\b|RequestId', re.MULTILINE)
_ROOT = Path(__file__).parents[1]

_documented: set[str] = set()
_received: set[str] = set()
_total = {"tests": 0, "lines": 0, "tokens": 0}


def tokens_in(text: str) -> set[str]:
    """Return the tokens in the text of a request, in any of the formats."""
    return {found["token"] for found in _TOKEN_FIELD.finditer(text)}


def log_lines(text: str) -> list[str]:
    """Return the lines that the functions, their runtime or a traceback printed."""
    return [line for line in text.splitlines() if _LOG_LINE.search(line)]


def leaks(lines: Iterable[str], tokens: Iterable[str]) -> list[str]:
    """Return the lines that contain one of the tokens."""
    lines = list(lines)
    printed = "\n".join(lines)
    found = [token for token in tokens if token in printed]
    return [line for line in lines if any(token in line for token in found)]


def pytest_configure() -> None:
    """Collect the tokens in the example events and the README, which other processes (emulator, local stack) receive."""
    for pattern in ("events/**/*.json", "README.md"):
        for path in _ROOT.glob(pattern):
            _documented.update(tokens_in(path.read_text(encoding="utf-8").replace('\\"', '"')))


@pytest.fixture(scope="session", autouse=True)
def _collect_tokens() -> Iterator[None]:
    """Collect the tokens of all requests that the connect function parses in this process."""
    import charger_connect.handler
    from common.wire import read_request as read

    def read_and_collect(body: bytes, *arguments: Any, **named: Any) -> Any:
        _received.update(tokens_in(body.decode("utf-8", "replace")))
        request = read(body, *arguments, **named)
        token = getattr(request, "tokenId", None)
        if token and len(token) >= SHORTEST:
            _received.add(token)
        return request

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charger_connect.handler, "read_request", read_and_collect)
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    outcome: Any = yield
    report: Any = outcome.get_result()
    if report.when != "teardown":
        return
    lines = [line for _, text in report.sections for line in log_lines(text)]
    report.searched = (len(lines), len(_received))
    leaking = leaks(lines, _received | _documented)
    _received.clear()
    if leaking:
        report.outcome = "failed"
        report.longrepr = "\n".join(["a token is in the log:", *leaking])


def pytest_runtest_logreport(report: Any) -> None:
    """Add up the counts, in the process to which pytest-xdist's workers report, or in the only one."""
    if hasattr(report, "searched"):
        _total["tests"] += 1
        _total["lines"] += report.searched[0]
        _total["tokens"] += report.searched[1]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if terminalreporter.config.getoption("capture") == "no":
        terminalreporter.write_line("tokens in logs: not searched, as -s captures nothing")
        return
    terminalreporter.write_line(
        f"tokens in logs: {_total['lines']} log lines of {_total['tests']} tests searched for "
        f"{_total['tokens']} tokens and {len(_documented)} documented ones"
    )
