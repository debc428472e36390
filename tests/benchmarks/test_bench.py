"""The benchmarks run, and what they count (not what they time) is what the service promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import __main__ as bench
from benchmarks.programs import PEERS, SERVICE
from tests.end_to_end import emulator

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = {
    "cold_start",
    "init_cpu",
    "cold_start_as_deployed",
    "warm_cpu_json",
    "warm_cpu_xml",
    "overhead_p50",
    "overhead_p99",
    "dynamodb_calls",
    "capacity_units",
    "size",
    "memory",
}

pytestmark = [
    pytest.mark.artefact,
    pytest.mark.skipif(bool(emulator.missing()), reason=emulator.missing() or ""),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One quick run of everything."""
    directory = tmp_path_factory.mktemp("results")
    assert bench.main(["--quick", "--results", str(directory)]) == 0
    return directory


@pytest.fixture(scope="module")
def figures(results: Path) -> dict[str, dict[str, dict[str, Any]]]:
    return json.loads((results / "latest.json").read_text())


@pytest.fixture(scope="module")
def details(results: Path) -> dict[str, Any]:
    return json.loads((results / "details.json").read_text())


def test_every_figure_is_measured_of_every_program(figures: dict[str, Any]) -> None:
    assert set(figures) == FIGURES
    for name, of in figures.items():
        assert set(of) == ({SERVICE} if name == "warm_cpu_xml" else {SERVICE, *PEERS}), name
        for one in of.values():
            assert set(one) == {"median", "min", "max", "n", "unit"}
            assert 0 < one["min"] <= one["median"] <= one["max"]


def test_warm_figures_count_requests_not_rounds(figures: dict[str, Any]) -> None:
    for name in ("warm_cpu_json", "warm_cpu_xml", "overhead_p50", "overhead_p99"):
        assert {one["n"] for one in figures[name].values()} == {20}  # a quick run: two rounds of ten


def test_a_step_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--only", "cold,worm"])
    assert "no such step: worm" in capsys.readouterr().err


def test_the_common_path_is_two_writes_of_three_units_and_one_call_of_the_link(
    details: dict[str, Any],
) -> None:
    assert details["round_trips"][SERVICE]["first call"] == {
        "dynamodb calls": 2,
        "of which reads": 0,
        "capacity units": 3,
        "link calls": 1,
    }


@pytest.mark.parametrize("case", ["replay", "conflict"])
def test_a_repeat_is_one_write_attempt_and_no_call_of_the_link(details: dict[str, Any], case: str) -> None:
    trip = details["round_trips"][SERVICE][case]
    assert (trip["dynamodb calls"], trip["of which reads"], trip["link calls"]) == (1, 0, 0)


def test_a_growing_table_changes_neither_requests_nor_bytes(details: dict[str, Any]) -> None:
    for case, by_size in details["growth"].items():
        few, many = by_size.values()
        assert few == many, case


def test_the_service_is_at_most_half_the_size_of_powertools(figures: dict[str, Any]) -> None:
    assert figures["size"][SERVICE]["median"] <= 0.5 * figures["size"]["powertools"]["median"]


def test_the_picture_shows_every_program(results: Path) -> None:
    picture = (results / "latest.svg").read_text()
    assert all(f">{name}</text>" in picture for name in (SERVICE, *PEERS))
