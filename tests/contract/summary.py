"""A pytest plugin that prints at the end of a run how many recorded cases ran, by level and class.

`tests/conftest.py` registers it, because with xdist the reporting process does not load the conftest of this folder.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

import pytest

from tests.contract.cases import exchanges, requests, responses

Level = Literal["wire", "http"]

LEVELS: Final[dict[Level, str]] = {"wire": "parsing and writing alone", "http": "complete HTTP exchanges"}
RECORDED: Final = {"exchanges": len(exchanges()), "requests": len(requests()), "responses": len(responses())}
PROPERTY: Final = "recorded case"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the cases in the reports, which include those of xdist's workers."""
    seen: dict[Level, Counter[tuple[str, str, str]]] = {level: Counter() for level in LEVELS}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY and report.when == "call":
                    level, kind, klass = value
                    seen[level][kind, klass, outcome] += 1
    if not any(seen.values()):
        return
    terminalreporter.section("recorded cases")
    for level, title in LEVELS.items():
        terminalreporter.line(f"{title}: {_describe(seen[level])}")


def _describe(seen: Counter[tuple[str, str, str]]) -> str:
    parts = []
    for kind, recorded in RECORDED.items():
        counts: Counter[str] = Counter()
        for (of, klass, outcome), number in seen.items():
            if of == kind:
                counts[outcome] += number
                counts[klass] += number
        if total := counts["passed"] + counts["failed"]:
            classes = ", ".join(
                f"{klass} {counts[klass]}" for klass in ("must", "may_accept", "quirk") if counts[klass]
            )
            failed = f", {counts['failed']} FAILED" if counts["failed"] else ""
            parts.append(f"{total} of {recorded} {kind}{f' ({classes})' if classes else ''}{failed}")
    return "; ".join(parts) or "none ran"
