"""Find the metrics that the alarms, widgets and filters of the templates use."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OWN = "ChargerConnect"
_SEARCH = re.compile(r"SEARCH\('\{([^}]*)\}([^']*)'")
_PAIR = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that `where` uses. The value of a dimension is None if every value matches."""

    where: str
    namespace: str
    name: str
    dimensions: Mapping[str, str | None]


def by_alarms(resources: Mapping[str, Any]) -> Iterator[Metric]:
    for where, resource in resources.items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        properties = resource["Properties"]
        stats = [
            entry["MetricStat"]["Metric"] for entry in properties.get("Metrics", []) if "MetricStat" in entry
        ]
        for metric in stats or [properties]:
            dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions", [])}
            yield Metric(where, metric["Namespace"], metric["MetricName"], dimensions)


def by_widgets(resources: Mapping[str, Any]) -> Iterator[Metric]:
    body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"])
    for widget in body["widgets"]:
        where = widget["properties"]["title"]
        for entry in widget["properties"]["metrics"]:
            if isinstance(entry[0], dict):
                yield from _searched(where, entry[0]["expression"])
                continue
            namespace, name, *pairs = [part for part in entry if not isinstance(part, dict)]
            yield Metric(where, namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))


def by_filters(resources: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the metrics that filters derive from log lines."""
    for where, resource in resources.items():
        if resource["Type"] == "AWS::Logs::MetricFilter":
            for made in resource["Properties"]["MetricTransformations"]:
                dimensions = {entry["Key"]: None for entry in made["Dimensions"]}
                yield Metric(where, made["MetricNamespace"], made["MetricName"], dimensions)


def _searched(where: str, expression: str) -> Iterator[Metric]:
    for schema, rest in _SEARCH.findall(expression):
        namespace, *names = schema.split(",")
        given = dict(_PAIR.findall(rest))
        yield Metric(where, namespace, given["MetricName"], {name: given.get(name) for name in names})
