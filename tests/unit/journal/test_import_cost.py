"""A process that only claims and settles imports nothing that looks for unfinished attempts."""

from __future__ import annotations

import subprocess
import sys

RARE = {"evidence", "looking", "looks", "resolutions", "stops", "unfinished"}


def test_the_modules_of_looks_operators_and_stops_are_imported_only_where_they_are_used() -> None:
    code = f"import sys; sys.path = {sys.path!r}; import common.journal; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "common.journal.journal" in modules
    assert not {f"common.journal.{name}" for name in RARE} & set(modules)
