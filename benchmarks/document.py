"""The measured part of docs/performance.md, from the results of a run.

python -m benchmarks.document      writes it anew
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import money, report
from benchmarks.programs import PEERS, ROOT, SERVICE
from scripts import marked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.figures import Figure

DOCUMENT = ROOT / "docs" / "performance.md"
RESULTS = Path(__file__).with_name("results")

# figure, peer, and the service's share of the peer's that is the goal at most
GOALS = (
    ("cold_start", "bare", 0.75),
    ("cold_start", "powertools", 0.4),
    ("init_cpu", "bare", 0.75),
    ("init_cpu", "powertools", 0.4),
    ("cold_start_as_deployed", "powertools", 0.3),
    ("warm_cpu_json", "bare", 0.6),
    ("warm_cpu_json", "powertools", 1 / 3),
    ("warm_cpu_json", "fastapi", 1 / 3),
    ("size", "powertools", 0.5),
)
XML_GOAL = 1.3  # times our own JSON


def write() -> None:
    """Put the latest results into the document."""
    marked.write(DOCUMENT, "bench", text())


def text() -> str:
    """The measured part, in Markdown."""
    figures = json.loads((RESULTS / "latest.json").read_text())
    details = json.loads((RESULTS / "details.json").read_text())
    return "\n\n".join(_sections(figures, details))


def _sections(figures: Mapping[str, Mapping[str, Figure]], details: Mapping[str, Any]) -> Iterator[str]:
    run = details["run"]
    yield (
        f"Measured on {run['at']}: {run['processor']}, {run['system']}, CPython {run['python']}; the machine's load was {run['load']} "
        "when it began. Medians, of warm requests those of rounds; in brackets how many times the service's."
    )
    yield report.markdown(report.table(figures))
    yield "![Each program as a multiple of the service](../benchmarks/results/latest.svg)"
    yield "### Goals\n\n" + report.markdown([["figure", "goal, at most", "measured", ""], *_goals(figures)])
    yield "### Round trips, counted at the socket\n\n" + report.markdown(_trips(details["round_trips"]))
    yield "### Growth: the table's socket, by attempts of one charger\n\n" + report.markdown(
        _growth(details["growth"])
    )
    yield "### Dearest imports\n\nOwn time in milliseconds, without what they import.\n\n" + report.markdown(
        _imports(details["dearest_imports"])
    )
    yield "### Memory: peak resident, MB\n\n" + report.markdown(_memory(details["memory"]))
    yield "### Money\n\n" + _money(figures)
    yield "### The journal's client\n\n" + _client(details["journal_client"])
    yield "### SnapStart\n\n" + _snapstart(figures)


def _goals(figures: Mapping[str, Mapping[str, Figure]]) -> Iterator[list[str]]:
    def row(what: str, ratio: float, most: float) -> list[str]:
        return [what, f"{most:.2f} ×", f"{ratio:.2f} ×", "met" if ratio <= most else "**missed**"]

    for name, peer, most in GOALS:
        yield row(
            f"{name}, of {peer}", figures[name][SERVICE]["median"] / figures[name][peer]["median"], most
        )
    xml, json_ = (figures[name][SERVICE]["median"] for name in ("warm_cpu_xml", "warm_cpu_json"))
    yield row("warm_cpu_xml, of warm_cpu_json", xml / json_, XML_GOAL)


def _trips(trips: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[list[str]]:
    head = ["", "program", *next(iter(next(iter(trips.values())).values()))]
    rows = [head]
    for case in trips[SERVICE]:
        for program, cases in trips.items():
            rows.append([case, program, *(f"{value:g}" for value in cases[case].values())])
    return rows


def _growth(growth: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[list[str]]:
    rows = [["request", "attempts", "requests", "bytes sent", "bytes received"]]
    for case, by_size in growth.items():
        rows += [[case, f"{int(size):,}", *map(str, seen.values())] for size, seen in by_size.items()]
    return rows


def _imports(imports: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    columns = [
        [f"`{name}` {own:g}" for name, own in imports[program].items()] for program in (SERVICE, *PEERS)
    ]
    return [[SERVICE, *PEERS], *map(list, zip(*columns, strict=True))]


def _memory(memory: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    counts = list(memory[SERVICE])
    shown = [counts[0], counts[1], counts[len(counts) // 2], counts[-1]]
    head = ["program", "after the first request", *(f"after {int(count):,}" for count in shown[1:])]
    return [head, *([program, *(f"{of[count]:g}" for count in shown)] for program, of in memory.items())]


def _money(figures: Mapping[str, Mapping[str, Figure]]) -> str:
    programs = [["program", "dollars per million"]]
    programs += [[name, f"{money.of_program(figures, name):.2f}"] for name in (SERVICE, *PEERS)]
    cpu, calls = (figures[name][SERVICE]["median"] for name in ("warm_cpu_json", "dynamodb_calls"))
    sizes = [["memory, MB", "ms a request beside its charger", "dollars per million, charger 2 s"]]
    sizes += [
        [str(memory), f"{took:.1f}", f"{dollars:.2f}"]
        for memory, took, dollars in money.by_memory(cpu, calls)
    ]
    return (
        "What each program itself decides, by the formula of [cost.md](cost.md): its own work, its cold starts, its writes, at 512 MB; a "
        f"call of DynamoDB is taken as {money.NETWORK * 1000:g} ms.\n\n{report.markdown(programs)}\n\n"
        f"The service by memory size, all that cost.md counts:\n\n{report.markdown(sizes)}"
    )


def _client(clients: Mapping[str, Mapping[str, float]]) -> str:
    rows = [["client", "CPU until the first write is answered, ms", "CPU a write after that, ms"]]
    rows += [[name, f"{of['first']:.0f}", f"{of['call']:.2f}"] for name, of in clients.items()]
    return "The same conditional write to the same canned table, in one run.\n\n" + report.markdown(rows)


def _snapstart(figures: Mapping[str, Mapping[str, Figure]]) -> str:
    spared = figures["init_cpu"][SERVICE]["median"]
    return (
        f"Computed, not measured: a restored snapshot spares most of the {spared * 1000:.0f} ms of CPU until the first answer, and costs a restore "
        "of its own, of which AWS says that it depends on the size of the snapshot. Against bare boto3 "
        f"({figures['init_cpu']['bare']['median'] * 1000:.0f} ms) and Powertools ({figures['init_cpu']['powertools']['median'] * 1000:.0f} ms) there "
        "is little left to gain, and Lambda charges for keeping and for restoring snapshots of Python functions. So it is off by default (`SnapStart`)."
    )


if __name__ == "__main__":
    write()
