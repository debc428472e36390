"""A quick run measures every figure, and its counts (not its times) are those that the service promises."""

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
    "cold_start_with_secret",
    "cold_start_as_deployed",
    "warm_cpu_json",
    "warm_cpu_xml",
    "dynamodb_calls",
    "capacity_units",
    "size",
}

pytestmark = [
    pytest.mark.artefact,
    pytest.mark.skipif(bool(emulator.missing()), reason=emulator.missing() or ""),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the results of one quick run of every step."""
    directory = tmp_path_factory.mktemp("results")
    assert bench.main(["--quick", "--results", str(directory)]) == 0
    return directory


@pytest.fixture(scope="module")
def figures(results: Path) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = json.loads((results / "latest.json").read_text())
    return found


@pytest.fixture(scope="module")
def details(results: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((results / "details.json").read_text())
    return found


def test_every_figure_is_measured_of_every_program(figures: dict[str, Any]) -> None:
    assert set(figures) == FIGURES
    for name, by_program in figures.items():
        assert set(by_program) == ({SERVICE} if name == "warm_cpu_xml" else {SERVICE, *PEERS}), name
        for one in by_program.values():
            assert set(one) == {"median", "min", "max", "n", "unit"}
            assert 0 < one["min"] <= one["median"] <= one["max"]


def test_warm_figures_count_requests_not_rounds(figures: dict[str, Any]) -> None:
    for name in ("warm_cpu_json", "warm_cpu_xml"):
        assert {one["n"] for one in figures[name].values()} == {20}  # a quick run: two rounds of ten


def test_an_unknown_step_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--only", "cold,worm"])
    assert "no such step: worm" in capsys.readouterr().err


def test_a_first_call_makes_two_writes_of_three_units_and_one_link_call(details: dict[str, Any]) -> None:
    assert details["round_trips"][SERVICE]["first call"] == {
        "dynamodb calls": 2,
        "of which reads": 0,
        "capacity units": 3,
        "link calls": 1,
    }


@pytest.mark.parametrize("case", ["replay", "conflict"])
def test_a_repeated_id_makes_one_write_and_no_link_call(details: dict[str, Any], case: str) -> None:
    calls = details["round_trips"][SERVICE][case]
    assert (calls["dynamodb calls"], calls["of which reads"], calls["link calls"]) == (1, 0, 0)


def test_the_service_is_at_most_half_the_size_of_powertools(figures: dict[str, Any]) -> None:
    assert figures["size"][SERVICE]["median"] <= 0.5 * figures["size"]["powertools"]["median"]
