"""Alarms and widgets use only metrics that the code emits in these tests, or that AWS documents."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import callback.handler
import callback.service
import charger_connect.metrics
from common.aws.credentials import from_environment
from common.edge.paths import CALLBACK
from common.journal import DynamoDB, Journal
from scripts.cost import Figures
from tests.infrastructure.conftest import of_type
from tests.integration.calling import Context, calling, request
from tests.integration.misbehaving import responds_with
from tests.operations import template_metrics
from tests.operations.aws_metrics import DOCUMENTED
from tests.operations.conftest import captured_lines, messages, metrics
from tests.operations.scenarios import run_all, server
from tests.operations.template_metrics import OWN, Metric

if TYPE_CHECKING:
    from local.table import TableServer

    Emitted = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def emitted(shared_table: TableServer) -> Emitted:
    charger_connect.metrics._is_cold = True
    with captured_lines() as lines:
        run_all(shared_table)
    return metrics(lines)


def _is_emitted(metric: Metric, emitted: Emitted) -> bool:
    return any(
        name == metric.name
        and {key for key, _ in dimensions} == set(metric.dimensions)
        and all(metric.dimensions[key] in (None, value) or key == "version" for key, value in dimensions)
        for name, dimensions in emitted
    )


def test_the_code_emits_our_metrics_of_alarms_and_widgets(
    resources: dict[str, Any], emitted: Emitted
) -> None:
    filtered = {(metric.name, *metric.dimensions) for metric in template_metrics.by_filters(resources)}
    ours = [
        metric
        for metric in (*template_metrics.by_alarms(resources), *template_metrics.by_widgets(resources))
        if metric.namespace == OWN and (metric.name, *metric.dimensions) not in filtered
    ]
    assert len({metric.where for metric in ours}) > 12
    assert [metric for metric in ours if not _is_emitted(metric, emitted)] == []


def test_a_metric_that_the_code_does_not_emit_is_found(emitted: Emitted) -> None:
    assert _is_emitted(Metric("", OWN, "Attempts", {"service": "local", "outcome": "accepted"}), emitted)
    for name, dimensions in (
        ("Attemps", {"service": "local", "outcome": "accepted"}),
        ("Attempts", {"service": "local"}),
        ("Attempts", {"service": "local", "outcome": "lost"}),
        ("Attempts", {"service": "another", "outcome": "accepted"}),
        ("Failures", {"service": "local"}),
        ("Failures", {"service": "local", "version": "1"}),
        ("Failures", {"service": "local", "function": "NoFunction", "version": "1"}),
    ):
        assert not _is_emitted(Metric("", OWN, name, dimensions), emitted)


def test_aws_documents_its_metrics_of_alarms_and_widgets(resources: dict[str, Any]) -> None:
    theirs = [
        metric
        for metric in (*template_metrics.by_alarms(resources), *template_metrics.by_widgets(resources))
        if metric.namespace != OWN
    ]
    assert len(theirs) > 20
    undocumented = [
        metric
        for metric in theirs
        if set(metric.dimensions) not in DOCUMENTED.get((metric.namespace, metric.name), [])
    ]
    assert undocumented == []


def test_alarms_or_widgets_use_every_emitted_metric(resources: dict[str, Any], emitted: Emitted) -> None:
    looked_at = {
        metric.name
        for metric in (*template_metrics.by_alarms(resources), *template_metrics.by_widgets(resources))
    }
    assert {name for name, _ in emitted} - looked_at == set()


def test_dimensions_are_few_and_contain_no_charger_server_or_id(emitted: Emitted) -> None:
    names = {key for _, dimensions in emitted for key, _ in dimensions}
    assert names == {"service", "outcome", "dialect", "kind", "function", "version"}


def test_an_ordinary_start_writes_two_log_lines_and_one_metrics_record(
    resources: dict[str, Any], shared_table: Any
) -> None:
    with calling(shared_table) as caller, server(responds_with()) as ocpp:
        caller.post(request(ocpp.port))
        with captured_lines() as lines:
            caller.post(request(ocpp.port))
    assert [line.get("message", "metrics") for line in lines] == ["claimed", "settled", "metrics"]
    assert lines[2]["chargerId"] == "CP-1"
    assert lines[2]["server"] == f"127.0.0.1:{ocpp.port}"
    assert sum(len(json.dumps(line, separators=(",", ":"))) for line in lines) < 1800


def test_metric_filters_use_fields_of_the_log_lines(
    resources: dict[str, Any], callback_refused: dict[str, Any]
) -> None:
    access = json.loads(resources["ApiStage"]["Properties"]["AccessLogSettings"]["Format"])
    for name, properties in of_type(resources, "AWS::Logs::MetricFilter").items():
        line = access if properties["LogGroupName"] == "ApiLogs" else callback_refused
        fields = re.findall(r"\$\.(\w+)", properties["FilterPattern"])
        fields += [
            entry["Value"].removeprefix("$.")
            for made in properties["MetricTransformations"]
            for entry in made["Dimensions"]
        ]
        assert fields, name
        assert set(fields) <= set(line), name
    (pattern,) = {
        properties["FilterPattern"]
        for properties in of_type(resources, "AWS::Logs::MetricFilter").values()
        if properties["LogGroupName"] == "CallbackLogs"
    }
    assert f'$.message = "{callback_refused["message"]}"' in pattern


@pytest.fixture
def callback_refused(shared_table: TableServer) -> dict[str, Any]:
    """Return the log line of the callback function for a forged path."""
    environment = shared_table.environment()
    dynamodb = DynamoDB(shared_table.url, environment["AWS_REGION"], from_environment(environment))
    service = callback.service.Service(Journal(dynamodb, shared_table.name), b"a secret of the tests")
    event = {
        "routeKey": f"POST {CALLBACK}",
        "pathParameters": {"id": "1", "expires": "1", "signature": "0"},
        "body": "{}",
    }
    with captured_lines() as lines:
        assert callback.handler.respond(event, Context(29.0), service)["statusCode"] == 404
    dynamodb.close()
    (line,) = messages(lines)
    return line


def test_the_cost_of_monitoring_counts_every_metric_of_an_alarm(
    resources: dict[str, Any], emitted: Emitted
) -> None:
    assert Figures().alarms == len(list(template_metrics.by_alarms(resources)))
    assert len(emitted) + len(list(template_metrics.by_filters(resources))) <= Figures().metrics
