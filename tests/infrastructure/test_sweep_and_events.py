"""The schedule of the sweep, and the pipe that publishes the changes of attempts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.infrastructure.conftest import of_type, statements
from tests.operations import template_metrics
from tests.operations.aws_metrics import DOCUMENTED

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Deploy

KEY = "arn:aws:kms:eu-west-1:000000000000:key/0a"
BUS = "arn:aws:events:eu-west-1:000000000000:event-bus/charging"


def trusted_service(role: dict[str, Any]) -> str:
    """Return the service that may assume a role, for this account only."""
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}
    return str(statement["Principal"]["Service"])


def test_the_schedule_invokes_the_live_alias_each_minute_and_has_no_other_right(deploy: Deploy) -> None:
    resources = deploy()
    schedule = resources["SweepSchedule"]["Properties"]
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"]["Arn"] == "ResolveFunctionAliaslive"
    assert json.loads(schedule["Target"]["Input"]) == {"sweep": True}
    assert schedule["Target"]["RoleArn"] == "ScheduleRole.Arn"
    role = resources["ScheduleRole"]["Properties"]
    assert statements(role) == {("lambda:InvokeFunction", "ResolveFunctionAliaslive")}
    assert trusted_service(role) == "scheduler.amazonaws.com"


def test_a_sweep_is_not_repeated_and_ends_before_the_next_one_is_due(deploy: Deploy) -> None:
    resources = deploy()
    retries = resources["SweepSchedule"]["Properties"]["Target"]["RetryPolicy"]
    assert retries["MaximumRetryAttempts"] == 0
    (invocation,) = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    assert (invocation["FunctionName"], invocation["Qualifier"]) == ("ResolveFunction", "live")
    assert invocation["MaximumRetryAttempts"] == 0
    assert resources["ResolveFunction"]["Properties"]["Timeout"] < 60


def test_without_a_bus_the_table_has_no_stream_and_there_is_no_pipe(deploy: Deploy) -> None:
    resources = deploy()
    assert "StreamSpecification" not in resources["AttemptsTable"]["Properties"]
    kinds = {resource["Type"] for resource in resources.values()}
    assert not kinds & {"AWS::Pipes::Pipe", "AWS::SQS::Queue"}


def test_with_a_bus_the_pipe_reads_the_stream_and_publishes_there(deploy: Deploy) -> None:
    resources = deploy(EventBus="charging")
    assert resources["AttemptsTable"]["Properties"]["StreamSpecification"] == {
        "StreamViewType": "NEW_AND_OLD_IMAGES"
    }
    pipe = resources["ChangesPipe"]["Properties"]
    assert (pipe["Source"], pipe["Target"]) == ("AttemptsTable.StreamArn", BUS)
    source = pipe["SourceParameters"]["DynamoDBStreamParameters"]
    assert source["MaximumRetryAttempts"] > 0
    assert source["DeadLetterConfig"] == {"Arn": "LostChanges.Arn"}
    assert len(pipe["SourceParameters"]["FilterCriteria"]["Filters"]) <= 5, "a quota of Pipes"
    assert "IncludeExecutionData" not in pipe["LogConfiguration"]


def test_the_pipe_may_only_read_the_stream_publish_and_keep_what_it_could_not_publish(deploy: Deploy) -> None:
    reading = {
        (f"dynamodb:{action}", "AttemptsTable.StreamArn")
        for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    }
    needed = reading | {("events:PutEvents", BUS), ("sqs:SendMessage", "LostChanges.Arn")}
    role = deploy(EventBus="charging")["ChangesRole"]["Properties"]
    assert statements(role) == needed
    assert trusted_service(role) == "pipes.amazonaws.com"
    with_key = deploy(EventBus="charging", KmsKeyArn=KEY)
    assert statements(with_key["ChangesRole"]["Properties"]) == needed | {("kms:Decrypt", KEY)}
    assert with_key["ChangesLogs"]["Properties"]["KmsKeyId"] == KEY


def test_the_alarms_of_the_pipe_use_metrics_that_aws_documents(deploy: Deploy) -> None:
    resources = deploy(EventBus="charging")
    used = [
        metric
        for metric in template_metrics.by_alarms(resources)
        if metric.where in ("LostChangesAlarm", "PipeFailuresAlarm")
    ]
    assert len(used) == 4
    for metric in used:
        assert set(metric.dimensions) in DOCUMENTED[metric.namespace, metric.name]
        assert set(metric.dimensions.values()) <= {"LostChanges.QueueName", "ChangesPipe"}
