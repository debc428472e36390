"""A pytest plugin: says at the end of a run how many hostile inputs were tried, what was answered, and what the dearest cost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

PROPERTY: Final = "hostile inputs"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Counts from the reports, which xdist's workers hand over too."""
    total, answers, failed = 0, Counter[str](), 0
    lines = []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY and report.when == "call":
                    harness, statuses, peak = value
                    failed += outcome == "failed"
                    total += (inputs := sum(statuses.values()))
                    answers.update({status: number for status, number in statuses.items() if status != "0"})
                    memory = f", at most {peak / 2**20:.1f} MiB for one" if peak else ""
                    lines.append(f"{harness}: {inputs} inputs{memory}")
    if not lines:
        return
    terminalreporter.section("hostile input")
    for line in lines:
        terminalreporter.line(line)
    told = ", ".join(f"{number} of {status}" for status, number in sorted(answers.items()))
    errors = sum(number for status, number in answers.items() if status >= "500")
    terminalreporter.line(f"answers: {told}")
    terminalreporter.line(
        f"all: {total} inputs, {errors} answers of 5xx{f', {failed} FAILED' if failed else ''}"
    )
