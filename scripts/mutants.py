"""Mutation tests of the core: `make mutants` changes the code in small ways, and a fast test has to fail for each change.

mutmut names a module by its path and knows one source folder, `src`.
So the import roots are copied into one such folder, beside the tests, and mutmut runs there.

    python -m scripts.mutants [PATTERN...]     patterns such as charger_link.circuit*; none: all of CORE
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.import_roots import ROOT, import_roots

STAGE = ROOT / ".mutants"
CORE = ("charger_connect/*", "charger_link/*", "common/journal/*")
FAST_TESTS = (
    "tests/unit/charger_connect",
    "tests/unit/charger_link",
    "tests/unit/dialects",
    "tests/unit/journal",
    "tests/integration/flow/test_answers.py",
    "tests/integration/journal",
    "tests/integration/link",
)
# What the tests read beside the code.
_BESIDE = ("apidoc", "docs", "events", "local", "scripts", "tests", "README.md", "template.yaml")
_CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {only}
also_copy = {beside}
pytest_add_cli_args_test_selection = {tests}

"""


def stage() -> None:
    """Copy code and tests into the folder in which mutmut runs; results of an earlier run stay."""
    (STAGE / "src").mkdir(parents=True, exist_ok=True)
    for root in import_roots():
        if root != ROOT:
            shutil.copytree(
                root,
                STAGE / "src",
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", "Makefile"),
            )
    for name in _BESIDE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, STAGE / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif source.exists():
            shutil.copy2(source, STAGE / name)
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = [
        'pythonpath = ["src", "."]' if line.startswith("pythonpath =") else line
        for line in config.splitlines()
    ]
    only = [f"src/{pattern}" for pattern in CORE]
    text = "\n".join(lines) + _CONFIG.format(only=only, beside=list(_BESIDE), tests=list(FAST_TESTS))
    (STAGE / "pyproject.toml").write_text(text, encoding="utf-8")


def main() -> int:
    stage()
    os.chdir(STAGE)
    command = [str(Path(sys.executable).parent / "mutmut"), "run", *sys.argv[1:]]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - the developer's own arguments


if __name__ == "__main__":
    sys.exit(main())
