"""A pytest plugin that prints at the end of a run the number of hostile inputs, the responses, and the peak of memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

PROPERTY: Final = "hostile inputs"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the inputs in the reports, which include those of xdist's workers."""
    total, responses, failed = 0, Counter[str](), 0
    lines = []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY and report.when == "call":
                    harness, statuses, peak = value
                    failed += outcome == "failed"
                    total += (inputs := sum(statuses.values()))
                    responses.update({status: number for status, number in statuses.items() if status != "0"})
                    memory = f", at most {peak / 2**20:.1f} MiB for one input" if peak else ""
                    lines.append(f"{harness}: {inputs} inputs{memory}")
    if not lines:
        return
    terminalreporter.section("hostile input")
    for line in lines:
        terminalreporter.line(line)
    by_status = ", ".join(f"{number} of {status}" for status, number in sorted(responses.items()))
    errors = sum(number for status, number in responses.items() if status >= "500")
    terminalreporter.line(f"responses: {by_status}")
    terminalreporter.line(
        f"all: {total} inputs, {errors} responses of 5xx{f', {failed} FAILED' if failed else ''}"
    )
