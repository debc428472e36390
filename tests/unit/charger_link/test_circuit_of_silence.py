"""A circuit that silence opened is closed by a health check only: no start is its trial."""

from __future__ import annotations

import pytest

from charger_link import CircuitOpen, Circuits


def test_no_request_enters_a_circuit_that_a_failed_health_check_opened() -> None:
    now = 0.0
    circuits = Circuits(clock=lambda: now)
    for charger in ("CP-1", "CP-2", "CP-3"):
        circuits.failed("server", charger)
    assert circuits.check("server")
    circuits.unhealthy("server")
    now = 11.0
    with pytest.raises(CircuitOpen):
        circuits.enter("server")
    assert circuits.check("server")
    circuits.answered("server")
    circuits.enter("server")


def test_one_request_enters_a_circuit_that_failed_connections_opened() -> None:
    now = 0.0
    circuits = Circuits(clock=lambda: now)
    for _ in range(3):
        circuits.failed("server", None)
    now = 11.0
    circuits.enter("server")
    with pytest.raises(CircuitOpen):
        circuits.enter("server")
