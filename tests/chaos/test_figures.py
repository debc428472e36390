"""The table of figures has a column for each dialect, and a run replaces its own."""

from __future__ import annotations

from tests.chaos.figures import replace_column

BOTH = """\
| | native | steve |
| --- | ---: | ---: |
| seed | 1 | 2 |
| requests | 1,234 | 5 |
| socket cut | | 3 |"""


def test_a_run_replaces_the_column_of_its_dialect() -> None:
    table = replace_column("", "steve", {"seed": 9, "requests": 5, "table stalled": 3})
    table = replace_column(table, "native", {"seed": 1, "requests": 1234})
    table = replace_column(table, "steve", {"seed": 2, "requests": 5, "socket cut": 3})
    assert [line.replace("|  |", "| |") for line in table.splitlines()] == BOTH.splitlines()
