"""The installed dependencies are the locked ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_by_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "index-url" not in text


def test_what_runs_in_lambda_is_installed_with_its_hashes_checked() -> None:
    assert "--require-hashes" in (ROOT / "scripts" / "dependencies").read_text()
    assert "--require-hashes" in (ROOT / "scripts" / "venv").read_text()


def test_what_runs_in_lambda_has_the_versions_that_are_tested() -> None:
    def versions(lock: str) -> dict[str, str]:
        text = (ROOT / "requirements" / lock).read_text()
        return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE))

    deployed, tested = versions("run.txt"), versions("dev.txt")
    assert deployed
    assert {name: tested.get(name) for name in deployed} == deployed
