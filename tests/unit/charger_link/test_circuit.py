"""When a server's circuit opens, for how long, and when it is dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from charger_link import CircuitOpen, Circuits

SERVER, OTHER = "10.0.0.5:8080", "10.0.0.6:8080"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuits(clock: Clock) -> Circuits:
    return Circuits(clock)


def is_open(circuits: Circuits, server: str = SERVER) -> bool:
    """Return whether a request that is about to connect is rejected; one that is not uses up the trial."""
    try:
        circuits.enter(server)
    except CircuitOpen:
        return True
    return False


def test_failed_connections_in_a_row_open_it_once(circuits: Circuits) -> None:
    opened = [circuits.failed(SERVER, None) for _ in range(5)]
    assert opened == [False, False, True, False, False]
    assert is_open(circuits)
    assert not is_open(circuits, OTHER)


def test_one_chargers_silence_never_opens_it(circuits: Circuits) -> None:
    assert not any(circuits.failed(SERVER, "CP-1") for _ in range(1000))
    assert not is_open(circuits)


def test_silence_for_several_chargers_makes_the_server_suspect_and_opens_nothing(circuits: Circuits) -> None:
    for charger in ("CP-1", "CP-1", "CP-2"):
        assert not circuits.failed(SERVER, charger)
    assert not circuits.check(SERVER)
    assert not circuits.failed(SERVER, "CP-3")
    assert circuits.check(SERVER), "it must be sent a health check"
    assert not is_open(circuits)
    assert not circuits.check(OTHER)


def test_failed_connections_and_silence_together_make_it_suspect(circuits: Circuits) -> None:
    assert not any(circuits.failed(SERVER, charger) for charger in (None, "CP-1", None))
    assert circuits.check(SERVER)
    assert circuits.failed(SERVER, None), "three failed connections open it"


def test_a_suspect_server_gets_one_health_check_in_ten_seconds(circuits: Circuits, clock: Clock) -> None:
    for again in range(3):
        clock.now = 1000 + 10 * again
        for charger in ("CP-1", "CP-2", "CP-3"):
            circuits.failed(SERVER, charger)
        assert [circuits.check(SERVER) for _ in range(3)] == [True, False, False]
        circuits.answered(SERVER)
        for charger in ("CP-1", "CP-2", "CP-3"):
            circuits.failed(SERVER, charger)
        clock.now += 9.9
        assert not circuits.check(SERVER)
        assert not is_open(circuits)


def test_a_health_check_without_an_answer_opens_it_once(circuits: Circuits, clock: Clock) -> None:
    for charger in ("CP-1", "CP-2", "CP-3"):
        circuits.failed(SERVER, charger)
    assert circuits.check(SERVER)
    assert circuits.unhealthy(SERVER).opened_circuit
    assert is_open(circuits)
    clock.now += 10
    assert circuits.check(SERVER), "a circuit that silence opened is closed by a health check"
    with pytest.raises(CircuitOpen):  # for all others meanwhile
        circuits.check(SERVER)
    assert not circuits.unhealthy(SERVER).opened_circuit, "it was open before"
    clock.now += 10
    assert circuits.check(SERVER)
    circuits.answered(SERVER)
    assert not circuits.check(SERVER)
    assert not is_open(circuits)


def test_a_check_uses_up_no_trial(circuits: Circuits, clock: Clock) -> None:
    for _ in range(3):
        circuits.failed(SERVER, None)
    clock.now += 10
    assert [circuits.check(SERVER) for _ in range(5)] == [False] * 5
    assert [is_open(circuits), is_open(circuits)] == [False, True]
    with pytest.raises(CircuitOpen):
        circuits.check(SERVER)


def test_any_response_resets_the_count(circuits: Circuits) -> None:
    for _ in range(100):
        circuits.failed(SERVER, "CP-1")
        circuits.failed(SERVER, None)
        circuits.answered(SERVER)
    assert not is_open(circuits)


def test_a_response_closes_it(circuits: Circuits) -> None:
    for _ in range(3):
        circuits.failed(SERVER, None)
    circuits.answered(SERVER)
    assert not is_open(circuits)


def test_the_error_has_the_seconds_until_the_next_trial(circuits: Circuits, clock: Clock) -> None:
    for _ in range(3):
        circuits.failed(SERVER, None)
    for passed, left in ((0.0, 10), (0.5, 10), (5.0, 5), (9.999, 1)):
        clock.now = 1000 + passed
        with pytest.raises(CircuitOpen) as refused:
            circuits.check(SERVER)
        assert refused.value.retry_after == left
        assert not refused.value.may_have_started


def test_a_half_open_circuit_allows_one_request_every_ten_seconds(circuits: Circuits, clock: Clock) -> None:
    for _ in range(3):
        circuits.failed(SERVER, None)
    for again in range(1, 4):
        clock.now = 1000 + 10 * again
        assert [is_open(circuits) for _ in range(3)] == [False, True, True]


def test_a_failed_trial_keeps_it_open_and_is_not_a_new_opening(circuits: Circuits, clock: Clock) -> None:
    for _ in range(3):
        circuits.failed(SERVER, None)
    clock.now += 10
    circuits.enter(SERVER)
    clock.now += 2
    assert not circuits.failed(SERVER, None)
    clock.now += 9.9
    assert is_open(circuits)
    clock.now += 0.1
    assert not is_open(circuits)


def test_of_many_concurrent_requests_one_may_try(circuits: Circuits, clock: Clock) -> None:
    for _ in range(3):
        circuits.failed(SERVER, None)
    clock.now += 10
    with ThreadPoolExecutor(16) as pool:
        refused = sum(pool.map(lambda _: is_open(circuits), range(200)))
    assert refused == 199


def test_at_most_256_servers_are_kept_and_the_least_recently_used_is_dropped(circuits: Circuits) -> None:
    names = [f"10.0.{number // 256}.{number % 256}:80" for number in range(300)]
    for name in names:
        for _ in range(3):
            circuits.failed(name, None)
    assert [is_open(circuits, name) for name in names] == [False] * 44 + [True] * 256


def test_names_that_a_caller_invents_do_not_grow_it_without_end(circuits: Circuits) -> None:
    for number in range(10_000):
        circuits.failed(SERVER, f"CP-{number}")
        circuits.check(f"10.0.0.{number}:80")
        circuits.answered(f"10.1.0.{number}:80")
    (only,) = circuits._circuits.values()
    assert len(only.silent) == 3
