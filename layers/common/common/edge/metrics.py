"""Metrics of one invocation, in CloudWatch's embedded metric format: the log line is the metric."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

if TYPE_CHECKING:
    from common.edge.lambda_types import Context


class Record:
    """The metrics of one invocation: one EMF record, with a directive for each set of dimensions.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def __init__(self, context: Context) -> None:
        self.request_id = context.aws_request_id
        self.about: dict[str, Any] = {}
        self._context = context
        self._metrics = EphemeralMetrics()
        self._names: dict[tuple[str, ...], list[str]] = {}

    def count(self, name: str, **dimensions: str) -> None:
        """Add one to a metric."""
        self._add(name, MetricUnit.Count, 1, **dimensions)

    def measure(self, name: str, value: float, unit: MetricUnit = MetricUnit.Count) -> None:
        """Set a metric to a value, which may be 0."""
        self._add(name, unit, value)

    def time(self, name: str, milliseconds: int) -> None:
        """Add a duration to a metric."""
        self._add(name, MetricUnit.Milliseconds, milliseconds)

    def fail(self) -> None:
        """Count a failure of this version of this function, for the alarms of a deployment.

        Each function numbers its versions from 1, so the function's name is a dimension, too.
        """
        self.count("Failures", function=self._context.function_name, version=self._context.function_version)

    def flush(self) -> None:
        """Write the record to standard output, if it has a metric."""
        if not self._names:
            return
        document: dict[str, Any] = {**self._metrics.serialize_metric_set()}
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        metrics = {metric["Name"]: metric for metric in directive["Metrics"]}
        document["_aws"]["CloudWatchMetrics"] = [
            {**directive, "Dimensions": [dimensions], "Metrics": [metrics[name] for name in names]}
            for dimensions, names in self._names.items()
        ]
        print(json.dumps(document | self.about, separators=(",", ":")))  # noqa: T201 - how Lambda receives metrics

    def _add(self, name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
        """Add one value; the same name with other dimensions has the same value."""
        for dimension, text in dimensions.items():
            self._metrics.add_dimension(dimension, text)
        if name not in self._metrics.metric_set:
            self._metrics.add_metric(name, unit, value)
        self._names.setdefault(("service", *dimensions), []).append(name)
