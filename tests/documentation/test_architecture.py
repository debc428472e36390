"""The files that `docs/architecture.md` names exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def named_paths() -> list[Path]:
    """Return the paths in the table of decisions. A bare file name is in the folder of the path before it."""
    table = PAGE.partition("### Where is it decided?")[2].partition("\n## ")[0]
    paths: list[Path] = []
    for name in re.findall(r"`([^`\s]+)`", table):
        if "/" in name:
            paths.append(ROOT / name)
        elif name.endswith(".py"):
            paths.append(paths[-1].parent / name)
    return paths


def test_every_file_in_the_table_of_decisions_exists() -> None:
    paths = named_paths()
    assert len(paths) > 15
    assert [str(path.relative_to(ROOT)) for path in paths if not path.exists()] == []
