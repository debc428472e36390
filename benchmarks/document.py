"""Write the measured section of docs/performance.md from the saved results.

python -m benchmarks.document      write it again
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import memory_cost, tables
from benchmarks.programs import ROOT, SERVICE
from scripts import sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.figures import Figure

DOCUMENT = ROOT / "docs" / "performance.md"
RESULTS = Path(__file__).with_name("results")

# figure, peer, and the largest allowed ratio of the service's figure to the peer's
GOALS = (
    ("cold_start", "bare", 0.75),
    ("cold_start", "powertools", 0.4),
    ("init_cpu", "bare", 0.75),
    ("init_cpu", "powertools", 0.4),
    ("cold_start_with_secret", "bare", 0.62),
    ("cold_start_as_deployed", "powertools", 0.3),
    ("warm_cpu_json", "bare", 0.6),
    ("warm_cpu_json", "powertools", 1 / 3),
    ("warm_cpu_json", "fastapi", 1 / 3),
    ("size", "powertools", 0.5),
)
# figure, another figure, and the largest allowed ratio of the first to the second, both of the service
OWN_GOALS = (("cold_start_with_secret", "cold_start", 1.1), ("warm_cpu_xml", "warm_cpu_json", 1.3))


def write() -> None:
    """Write the measured section into the document."""
    sections.write(DOCUMENT, "bench", generate())


def generate() -> str:
    """Return the measured section, in Markdown."""
    figures = json.loads((RESULTS / "latest.json").read_text())
    details = json.loads((RESULTS / "details.json").read_text())
    return "\n\n".join(_sections(figures, details))


def _sections(figures: Mapping[str, Mapping[str, Figure]], details: Mapping[str, Any]) -> Iterator[str]:
    run = details["run"]
    yield (
        f"Measured on {run['at']} with {run['processor']}, {run['system']}, CPython {run['python']}, at a load of {run['load']}.\n"
        "Figures are medians (`warm_cpu_...` of rounds of 1,000 requests), with the ratio to the service in brackets."
    )
    yield tables.markdown(tables.compare(figures))
    yield "### Goals\n\n" + tables.markdown([["ratio", "goal, at most", "measured"], *_goals(figures)])
    yield "### Round trips\n\n" + _round_trips(details["round_trips"][SERVICE])
    yield "### Memory size\n\n" + _memory_sizes(figures)
    yield "### The journal's client\n\n" + _clients(details["journal_client"])
    yield "### SnapStart\n\n" + _snapstart(figures["init_cpu"])


def _goals(figures: Mapping[str, Mapping[str, Figure]]) -> Iterator[list[str]]:
    def row(what: str, measured: float, most: float) -> list[str]:
        return [what, f"{most:.2f} ×", f"{measured:.2f} ×{'' if measured <= most else ', **missed**'}"]

    def ratio(name: str, other: str, peer: str) -> float:
        return figures[name][SERVICE]["median"] / figures[other][peer]["median"]

    # A new figure has no value until its step runs.
    for name, peer, most in (goal for goal in GOALS if goal[0] in figures):
        yield row(f"{name}, service to {peer}", ratio(name, name, peer), most)
    for name, other, most in (goal for goal in OWN_GOALS if goal[0] in figures):
        yield row(f"service, {name} to {other}", ratio(name, other, SERVICE), most)


def _round_trips(cases: Mapping[str, Mapping[str, float]]) -> str:
    rows = [["case", *next(iter(cases.values()))]]
    rows += [[case, *(f"{value:g}" for value in calls.values())] for case, calls in cases.items()]
    return f"The service's calls, counted at the socket.\n\n{tables.markdown(rows)}"


def _memory_sizes(figures: Mapping[str, Mapping[str, Figure]]) -> str:
    cpu, calls = (figures[name][SERVICE]["median"] for name in ("warm_cpu_json", "dynamodb_calls"))
    rows = [["memory, MB", "ms a request, without the wait", "dollars per million"]]
    rows += [
        [str(cost.memory), f"{cost.own:.1f}", f"{cost.dollars:.2f}"]
        for cost in memory_cost.by_memory(cpu, calls)
    ]
    return (
        "Computed as in [cost.md](cost.md), for a charger that answers in 2 s "
        f"and {memory_cost.TABLE_CALL * 1000:g} ms for each DynamoDB call.\n"
        "[decisions.md](decisions.md#performance) has the reason for the default.\n\n"
        f"{tables.markdown(rows)}"
    )


def _clients(clients: Mapping[str, Mapping[str, float]]) -> str:
    rows = [["client", "CPU until the first response, ms", "CPU of each later write, ms"]]
    rows += [[name, f"{of['first']:.0f}", f"{of['call']:.2f}"] for name, of in clients.items()]
    return f"Both send the same conditional write to the same stub of DynamoDB.\n\n{tables.markdown(rows)}"


def _snapstart(init_cpu: Mapping[str, Figure]) -> str:
    return (
        f"Not measured: it can save most of `init_cpu` ({init_cpu[SERVICE]['median'] * 1000:.0f} ms), "
        "but a snapshot takes time to restore.\n"
        "Lambda also charges to store and restore it, so `SnapStart` is off by default."
    )


if __name__ == "__main__":
    write()
