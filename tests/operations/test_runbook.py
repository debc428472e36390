"""The runbook has an entry for each alarm and no other, and uses existing saved queries and parameters."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from charger_link import CircuitOpen, LinkError
from common.wire.problems import PROBLEM_TYPES
from scripts.transform import load, load_nested
from tests.infrastructure.conftest import of_type

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALARMS = RUNBOOK.partition("\n# Alarms\n")[2].partition("\n# Intervening\n")[0]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_alarm_has_an_entry_and_refers_to_it() -> None:
    templates = (load(), *load_nested(load()).values())
    alarms = {  # regardless of their conditions
        name: alarm
        for template in templates
        for name, alarm in of_type(template["Resources"], "AWS::CloudWatch::Alarm").items()
    }
    assert alarms
    entries = re.findall(r"^## (\w+)$", ALARMS, re.MULTILINE)
    assert sorted(entries) == sorted(name.removesuffix("Alarm") for name in alarms)
    for name, alarm in alarms.items():
        assert alarm["AlarmDescription"].endswith(f"docs/runbook.md, {name.removesuffix('Alarm')}.")


def test_every_entry_has_a_meaning_checks_and_actions() -> None:
    for entry in ALARMS.split("\n## ")[1:]:
        name, _, text = entry.partition("\n")
        assert len(text.strip().splitlines()[0]) > 30, name
        assert name.startswith("New") or (
            "**Look at**" in text and "**Do**" in text.replace("**do**", "**Do**")
        ), name


def test_every_kind_of_failure_is_explained() -> None:
    """Collect the kinds from the code of the link and from the connection."""
    kinds = {"refused", "timeout", "tls", "reset", "too-long", "malformed"}
    # An open circuit is not a failure of a call and has its own entry.
    errors = {error.__name__ for error in LinkError.__subclasses__() if error is not CircuitOpen}
    errors |= {"misunderstood", "_nonsense"}
    for path in (*ROOT.glob("layers/charger_link/**/*.py"), *ROOT.glob("functions/charger_connect/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).split(".")[-1] in errors:
                kind = node.args[0]
                if isinstance(kind, ast.Constant):
                    kinds.add(str(kind.value))
                elif isinstance(kind, ast.JoinedStr):  # with a status: http-503
                    kinds.add(ast.unparse(kind.values[0]).strip("f'") + "...")
    assert {"http-...", "no-callback-url", "exception"} <= kinds
    entry = ALARMS.partition("## LinkFailures\n")[2].partition("\n## ")[0]
    assert {kind for kind in kinds if f"`{kind}`" not in entry} == set()


def test_every_saved_query_is_used_and_every_named_query_exists(resources: dict[str, Any]) -> None:
    queries = {
        properties["Name"].removeprefix("local/")
        for properties in of_type(resources, "AWS::Logs::QueryDefinition").values()
    }
    assert {name for name in queries if f"`{name}`" not in RUNBOOK} == set()
    assert set(re.findall(r"[Qq]uery `([^`]*)`", RUNBOOK)) <= queries


def test_every_link_has_a_target() -> None:
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", RUNBOOK, re.MULTILINE)}
    links = set(re.findall(r"\]\(#([^)]*)\)", RUNBOOK))
    assert len(links) > 8
    assert links <= headings


def test_the_named_parameters_and_widgets_exist(resources: dict[str, Any], parameters: set[str]) -> None:
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:=[^`]*)?`", RUNBOOK))
    problems = {
        "SettingsError",
        "LinkServersError",
        "CredentialsError",
        "JournalSecret",
        "MemorySize",
        "BeforeAllowTraffic",
    }
    exceptions = {name for name in named if name.endswith("Exception")}
    assert named - problems - exceptions <= parameters | set(load()["Outputs"])
    body = resources["Dashboard"]["Properties"]["DashboardBody"]
    for title in (
        "Our failures",
        "Link failures by dialect and kind",
        "Calling the OCPP server",
        "Claim and settle",
        "Saturation",
        "Cost: write units",
    ):
        assert f"*{title}*" in RUNBOOK
        assert f'"{title}"' in body


def test_the_named_problems_exist() -> None:
    for slug in (
        "internal-error",
        "journal-unavailable",
        "server-busy",
        "circuit-open",
        "starts-paused",
        "outcome-unknown",
    ):
        assert f"`{slug}`" in RUNBOOK
        assert slug in PROBLEM_TYPES


def test_the_entry_of_unknown_outcomes_covers_every_dialect() -> None:
    entry = ALARMS.partition("## Unknowns\n")[2].partition("\n## ")[0]
    rows = set(re.findall(r"^\| ([\w.-]+) \|", entry, re.MULTILINE))
    assert rows - {"---"} == {"native", "SteVe", "CitrineOS", "OCPP.Core", "ocpp-cs"}
    assert "Tell the driver" in entry


def test_a_new_id_needs_the_chargers_record_and_a_new_connection() -> None:
    """No waiting time makes "not started" certain: in tests a start was sent 39 s after the response, and received after 76 s."""
    entry = ALARMS.partition("## Unknowns\n")[2].partition("\n## ")[0]
    (permission,) = [line for line in entry.splitlines() if "may try again" in line]
    assert "record shows no charge" in permission
    assert "closed and opened since" in permission
    assert not re.search(r"LinkTimeout|seconds|minutes|\d+ s\b", permission)
    assert "A new id without both checks can start a second charge." in entry
    driver = entry.partition("**Tell the driver**")[2]
    assert not re.search(r"start again|try again", driver)
