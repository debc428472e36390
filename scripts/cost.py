"""Compute the tables of docs/cost.md: the price of a million connects, and the capacity that they need.

    python -m scripts.cost                          prints the tables
    python -m scripts.cost --wait 8 --memory 1024   computes them with other figures
    python -m scripts.cost --write                  writes them into docs/cost.md

Prices are list prices of us-east-1 in dollars, without free tiers. Measured figures are marked.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields, replace
from pathlib import Path

from scripts import sections

DOCUMENT = Path(__file__).parent.parent / "docs" / "cost.md"
PART = "cost"
MILLION = 1_000_000
RATES = (10, 100, 1000)


@dataclass(frozen=True, slots=True)
class Figures:
    """One connect, and one deployment. Times in seconds, sizes in bytes, prices in dollars."""

    wait: float = 2.0  # for the charger's response, through its OCPP server
    own: float = 0.02  # the rest of an invocation: two table writes over the network, and CPU
    cold: float = 0.45  # billed initialisation of a cold start
    cold_share: float = 0.01  # share of connects with a cold start
    memory: int = 512  # megabytes
    write_units: float = 3  # claim: item and index entry; settle: item (measured)
    item: int = 700  # an item after settle (measured)
    retention: int = 90  # days
    log: int = 2600  # claimed, settled and metrics 1,600 (measured); also Lambda's lines, the access log, 26 for each line
    answer: int = 600  # headers and body of a response
    traced: float = 0.05  # share of requests that X-Ray samples
    metrics: int = 48  # custom metrics a month, by name and dimensions: the scenarios of the tests emit 39, log filters 3
    alarms: int = 43  # metrics that alarms read
    secrets: int = 1  # JournalSecret; each secret of LinkServers adds one
    price_api: float = 1.00 / MILLION
    price_request: float = 0.20 / MILLION
    price_gb_second: float = 0.0000133334  # arm64
    price_write: float = 0.625 / MILLION
    price_storage: float = 0.25 + 0.20  # a GB-month of table, and of point-in-time recovery
    price_log: float = 0.50  # a GB ingested
    price_transfer: float = 0.09  # a GB out
    price_trace: float = 5.00 / MILLION
    price_metric: float = 0.30  # a month
    price_alarm: float = 0.10  # a month, for each metric that an alarm reads
    price_dashboard: float = 3.00  # a month
    price_secret: float = 0.40  # a month


def million(figures: Figures) -> dict[str, float]:
    """Return the dollars per million connects, by step."""
    gigabytes = figures.memory / 1024
    second = gigabytes * figures.price_gb_second * MILLION
    return {
        "API Gateway, HTTP API": figures.price_api * MILLION,
        "Lambda, requests": figures.price_request * MILLION,
        "Lambda, own work": second * (figures.own + figures.cold * figures.cold_share),
        "Lambda, waiting for the charger": second * figures.wait,
        "DynamoDB, two writes": figures.write_units * figures.price_write * MILLION,
        "DynamoDB, storage of attempts": figures.item
        * figures.price_storage
        * figures.retention
        / 30
        * MILLION
        / 1e9,
        "CloudWatch Logs": figures.log * figures.price_log * MILLION / 1e9,
        "X-Ray": figures.traced * figures.price_trace * MILLION,
        "data transfer out": figures.answer * figures.price_transfer * MILLION / 1e9,
    }


def tables(figures: Figures) -> str:
    """Return the tables, in Markdown."""
    costs = million(figures)
    total = sum(costs.values())
    lines = ["| step | dollars per million | share |", "| --- | ---: | ---: |"]
    lines += [f"| {step} | {cost:.2f} | {cost / total:.0%} |" for step, cost in costs.items()]
    lines += [f"| **all** | **{total:.2f}** | |", ""]
    lines += [
        f"This is for a charger that responds in {figures.wait:g} s, {figures.memory} MB of memory and {figures.retention} days of retention.",
        f"Monitoring adds {_monitoring(figures):.2f} dollars a month at any traffic: "
        f"{figures.metrics} custom metrics, {figures.alarms} metrics of alarms, a dashboard and {figures.secrets} secret.",
        "",
        "| response time of the charger | dollars per million | share of waiting |",
        "| --- | ---: | ---: |",
    ]
    for wait in (0.3, 1.0, 2.0, 5.0, 10.0, 20.0):
        costs = million(replace(figures, wait=wait))
        waiting = costs["Lambda, waiting for the charger"]
        lines.append(f"| {wait:g} s | {sum(costs.values()):.2f} | {waiting / sum(costs.values()):.0%} |")
    lines += [
        "",
        "| connects a second | concurrency (rate x duration) | write units a second | dollars a month |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for rate in RATES:
        concurrency = rate * (figures.wait + figures.own)
        month = rate * 30 * 86400 / MILLION * total
        lines.append(f"| {rate:,} | {concurrency:,.0f} | {rate * figures.write_units:,} | {month:,.0f} |")
    return "\n".join(lines)


def _monitoring(figures: Figures) -> float:
    """Return the dollars a month of metrics, alarms, dashboard and secrets."""
    return (
        figures.metrics * figures.price_metric
        + figures.alarms * figures.price_alarm
        + figures.price_dashboard
        + figures.secrets * figures.price_secret
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the tables into docs/cost.md")
    for field in fields(Figures):
        kind = int if isinstance(field.default, int) else float
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    given = vars(parser.parse_args())
    write = given.pop("write")
    text = tables(Figures(**given))
    if write:
        sections.write(DOCUMENT, PART, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
