"""No token in any log: what each test prints is searched for the tokens that requests carried.

A plugin, always on: it fails the test whose output holds one. It searches the log lines in what pytest captured (standard output,
standard error, log records), in every process of pytest-xdist; with ``-s`` nothing is captured, and the summary says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 10  # characters; what is shorter stands in timestamps and ids by chance
_WRITTEN = re.compile(r"""tokenId(?:"\s*:\s*"|=|>)(?P<token>[^"&<>\s\\']{10,36})""", re.IGNORECASE)
_LOGGED = re.compile(r'"(?:level|_aws)":|Traceback|^\S*(?:Error|Exception)\b|RequestId', re.MULTILINE)
_ROOT = Path(__file__).parents[1]

_standing: set[str] = set()
_carried: set[str] = set()
_total = {"tests": 0, "lines": 0, "tokens": 0}


def tokens_in(text: str) -> set[str]:
    """The tokens that stand in a request's text, in any of its formats."""
    return {found["token"] for found in _WRITTEN.finditer(text)}


def log_lines(text: str) -> list[str]:
    """The lines that the functions, their runtime or an exception's way through them printed."""
    return [line for line in text.splitlines() if _LOGGED.search(line)]


def leaks(lines: Iterable[str], tokens: Iterable[str]) -> list[str]:
    """Those of the lines that hold one of the tokens."""
    lines = list(lines)
    printed = "\n".join(lines)
    found = [token for token in tokens if token in printed]
    return [line for line in lines if any(token in line for token in found)]


def pytest_configure() -> None:
    """The tokens that are written down, for the processes that are sent them: an emulator's, the local stack's."""
    for pattern in ("events/**/*.json", "README.md"):
        for path in _ROOT.glob(pattern):
            _standing.update(tokens_in(path.read_text(encoding="utf-8").replace('\\"', '"')))


@pytest.fixture(scope="session", autouse=True)
def _requests_are_read_twice() -> Iterator[None]:
    """Whatever the connecting function reads in this process is read here too."""
    import charger_connect.handler
    from common.wire import read_request as read

    def reading(body: bytes, *arguments: Any, **named: Any) -> Any:
        _carried.update(tokens_in(body.decode("utf-8", "replace")))
        request = read(body, *arguments, **named)
        token = getattr(request, "tokenId", None)
        if token and len(token) >= SHORTEST:
            _carried.add(token)
        return request

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charger_connect.handler, "read_request", reading)
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    outcome: Any = yield
    report: Any = outcome.get_result()
    if report.when != "teardown":
        return
    lines = [line for _, text in report.sections for line in log_lines(text)]
    report.searched = (len(lines), len(_carried))
    told = leaks(lines, _carried | _standing)
    _carried.clear()
    if told:
        report.outcome = "failed"
        report.longrepr = "\n".join(["a token stands in the log:", *told])


def pytest_runtest_logreport(report: Any) -> None:
    """In the process that pytest-xdist's others report to, or the only one."""
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
        f"{_total['tokens']} tokens and {len(_standing)} that are written down"
    )
