"""Mutation tests of the core: `make mutants` changes the code in small ways, and a fast test has to fail for each change.

mutmut names a module by its path and knows one source folder, `src`.
So the import roots are copied into one such folder, beside the tests, and mutmut runs there.

    python -m scripts.mutants [PATTERN...]     patterns such as charger_link.circuit*; none: all of CORE

The exit status is 1 if fewer than 95 % of the mutants are killed, a timeout not being a kill.
"""

from __future__ import annotations

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
# Tests among them that read the project's folders, start processes, wait for seconds, or check one rule in 1,700 cases.
_LEFT_OUT = (
    "tests/unit/journal/test_expressions.py",
    "tests/unit/dialects/test_registry.py::test_only_the_registry_names_dialects",
    "tests/unit/dialects/test_registry.py::test_only_the_dialects_that_linkservers_names_are_imported",
    "tests/integration/flow/test_answers.py::test_a_takeover_that_the_table_rejects_never_suggests_a_new_start",
    "tests/integration/flow/test_answers.py::test_an_attempt_in_progress_is_never_reported_as_not_started",
    "tests/integration/flow/test_answers.py::test_a_silent_secrets_manager_leaves_time_to_settle",
    "tests/integration/flow/test_answers.py::test_an_open_circuit_is_decided_before_claim_and_another_server_is_not_touched",
    "tests/integration/link/test_echoed_tokens.py",
    "tests/integration/link/test_link.py::test_a_server_that_sends_a_byte_at_a_time_is_abandoned_at_the_deadline",
    "tests/integration/link/test_link.py::test_after_a_start_that_broke_off_a_failed_connection_leaves_the_outcome_unknown",
    "tests/integration/link/test_link.py::test_silence_is_counted_by_charger_and_part_of_a_response_is_not_silence",
    "tests/integration/link/test_link.py::test_three_requests_with_failed_connections_open_the_circuit",
)
# What the tests read beside the code.
_BESIDE = ("apidoc", "docs", "events", "local", "scripts", "tests", "README.md", "template.yaml")
# A mutant may take three times as long as its tests did, and half a minute more: a busy machine must not look like an endless loop.
_CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {only}
also_copy = {beside}
pytest_add_cli_args = {arguments}
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 3.0
timeout_constant = 10.0

"""


def stage() -> None:
    """Copy code and tests into the folder in which mutmut runs; results of an earlier run stay."""
    (STAGE / "src").mkdir(parents=True, exist_ok=True)
    for root in import_roots():
        if root != ROOT:
            _copy(root, STAGE / "src")
    for name in _BESIDE:
        source = ROOT / name
        if source.is_dir():
            _copy(source, STAGE / name)
        elif source.exists():
            shutil.copy2(source, STAGE / name)
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = [
        'pythonpath = ["src", "."]' if line.startswith("pythonpath =") else line
        for line in config.splitlines()
    ]
    only = [f"src/{pattern}" for pattern in CORE]
    # Without a capture of its own for each of mutmut's several runs in one process: a logger keeps the stream of the first.
    arguments = ["--capture=no", *(f"--deselect={test}" for test in _LEFT_OUT)]
    text = "\n".join(lines) + _CONFIG.format(
        only=only, beside=list(_BESIDE), tests=list(FAST_TESTS), arguments=arguments
    )
    (STAGE / "pyproject.toml").write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(
        source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "Makefile")
    )


def main() -> int:
    stage()
    # A process of its own, in that folder: mutmut reads its configuration there when it is imported.
    command = [sys.executable, "-m", "scripts.mutmut_run", *sys.argv[1:]]
    return subprocess.run(command, cwd=STAGE, check=False).returncode  # noqa: S603 - the developer's own arguments


if __name__ == "__main__":
    sys.exit(main())
