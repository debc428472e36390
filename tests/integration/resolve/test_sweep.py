"""The resolve function on the embedded table: one sweep, and the check before traffic shifts."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from local.table import Fault
from resolve.handler import failures, respond
from resolve.service import Service
from tests.integration.calling import Context
from tests.integration.conftest import shared_table, table
from tests.operations.conftest import captured_lines, messages, metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

__all__ = ["shared_table", "table"]

DENIED = Fault(apply=False, error="ResourceNotFoundException")


@pytest.fixture
def service(table: TableServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "local")
    environment = {**table.environment(), "JOURNAL_SECRET": "a secret of the tests"}
    with closing(Service.of(environment)) as service:
        yield service


def put(table: TableServer, id_: str, state: str, shard: int, due: float) -> None:
    """Write an item with what the index projects."""
    item = {
        "id": {"S": id_},
        "chargerId": {"S": "CP-1"},
        "token": {"S": "****"},
        "createdAt": {"S": "2026-01-01T00:00:00.000000Z"},
        "updatedAt": {"S": "2026-01-01T00:00:00.000000Z"},
        "state": {"S": state},
        "shard": {"S": str(shard)},
        "dueAt": {"N": str(due)},
    }
    table.call("PutItem", {"TableName": table.name, "Item": item})


def sweep(service: Service) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    with captured_lines() as lines:
        result = respond({"sweep": True}, Context(50.0, function_name="ResolveFunction"), service)
    return result, lines


def test_a_sweep_counts_the_unfinished_attempts_of_every_shard(table: TableServer, service: Service) -> None:
    now = time.time()
    for shard in range(8):
        put(table, f"unknown-{shard}", "unknown", shard, now)
    put(table, "expired", "pending", 3, now - 60)
    put(table, "running", "pending", 3, now + 60)
    result, lines = sweep(service)
    assert (result["unknown"], result["expired_pending"]) == (8, 1)
    counted = metrics(lines)
    of_service = frozenset({("service", "local")})
    assert counted["UnknownAttempts", of_service] == 8
    assert counted["ExpiredPending", of_service] == 1
    assert counted["OldestLookedFor", of_service] > 0
    line = messages(lines)[0]
    assert (line["message"], line["unknown"], line["expiredPending"]) == ("swept", 8, 1)
    assert sorted(line["ids"].split()) == [f"unknown-{shard}" for shard in range(8)]


def test_a_sweep_that_finds_nothing_reports_zeros(service: Service) -> None:
    _, lines = sweep(service)
    assert set(metrics(lines).values()) == {0}
    assert len(metrics(lines)) == 7


def test_a_sweep_that_cannot_read_the_index_reports_no_gauges(table: TableServer, service: Service) -> None:
    table.on_request = lambda operation, _: DENIED if operation == "Query" else None
    result, lines = sweep(service)
    assert result == {"failed": "ResourceNotFoundException"}
    assert {name for name, _ in metrics(lines)} == {"JournalFailures"}
    (line,) = messages(lines)
    assert (line["message"], line["step"]) == ("journal failed", "sweep")


def test_the_check_reads_the_index(table: TableServer, service: Service) -> None:
    assert failures(service) == []
    table.on_request = lambda _, body: DENIED if body.get("IndexName") == "unfinished" else None
    assert failures(service) == ["index unfinished: ResourceNotFoundException"]
    assert table.items() == []
