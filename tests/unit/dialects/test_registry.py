"""The registry of dialects, and that nothing else in Lambda names one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from charger_link.dialects import registry
from charger_link.servers import LinkServersError
from tests.unit.charger_link.test_servers import servers

ROOT = Path(__file__).parents[3]
DIALECTS = ROOT / "layers/charger_link/charger_link/dialects"
# The name of a server, in any spelling. "native" also has other meanings: only the quoted name counts.
NAME = re.compile(r"steve|citrine|ocpp.?core|ocpp.?cs\b|[\"'`]native[\"'`]", re.IGNORECASE)


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_record_has_the_name_under_which_it_is_registered(name: str) -> None:
    assert registry.load(name).name == name


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_name_that_an_attempt_stores_leads_to_its_record(name: str) -> None:
    assert registry.find(name) is registry.load(name)


def test_a_name_of_another_version_has_no_record() -> None:
    assert registry.find("of-later") is None
    assert registry.find(None) is None


def test_only_the_registry_names_dialects() -> None:
    own = {
        DIALECTS / "registry.py",
        *(DIALECTS / f"{m.rpartition('.')[2]}.py" for m in registry.MODULES.values()),
        *DIALECTS.glob("*_records.py"),
    }
    paths = [path for folder in ("functions", "layers") for path in (ROOT / folder).rglob("*.py")]
    assert own <= set(paths)
    named = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in set(paths) - own
        for line in path.read_text(encoding="utf-8").splitlines()
        if NAME.search(line)
    }
    assert named == set()


def test_an_unknown_dialect_is_rejected_with_the_names_of_all_dialects() -> None:
    with pytest.raises(LinkServersError, match=", ".join(registry.NAMES)):
        servers({"network": "10.0.0.0/8", "dialect": "martian"})


def imported_dialects(code: str) -> set[str]:
    """Return the dialects' modules that a process has imported after running `code`."""
    code += "\nimport sys; print(*(name for name in sys.modules if name.startswith('charger_link.')))"
    command = [sys.executable, "-c", f"import sys; sys.path = {sys.path!r}\n{code}"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("names", [["native"], ["steve", "ocpp_cs"]])
def test_only_the_dialects_that_linkservers_names_are_imported(names: list[str]) -> None:
    entries = ", ".join(
        f'{{"network": "10.0.0.0/8", "ports": [{port}], "dialect": "{name}"}}'
        for port, name in enumerate(names, 1)
    )
    modules = imported_dialects(
        f"from charger_link import Link, LinkServers; LinkServers.parse('[{entries}]')"
    )
    assert modules & set(registry.MODULES.values()) == {f"charger_link.dialects.{name}" for name in names}


def test_a_process_that_only_starts_charges_imports_nothing_that_finds_or_stops_them() -> None:
    entries = '{"network": "10.0.0.0/8", "ports": [1], "dialect": "steve"}'
    modules = imported_dialects(
        f"from charger_link import Link, LinkServers; LinkServers.parse('[{entries}]')"
    )
    assert not {name for name in modules if name.endswith(("records", "timestamps"))}


@pytest.mark.parametrize("modules_of", ["attempts.handler", "callback.handler, callback.service"])
def test_the_functions_that_never_call_a_server_do_not_import_the_link(modules_of: str) -> None:
    modules = imported_dialects(f"import {modules_of}")
    assert not modules & {
        "charger_link.link",
        "charger_link.exchange",
        "charger_link.servers",
        *registry.MODULES.values(),
    }
