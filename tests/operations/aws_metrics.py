"""Metrics that AWS itself emits, with the sets of dimensions that it documents, as far as alarms and widgets name them.

AWS/ApiGateway  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html (an HTTP API's)
AWS/Lambda      https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and .../monitoring-metrics-view.html,
                .../monitoring-concurrency.html
AWS/DynamoDB    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
AWS/Logs        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
AWS/SQS         https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
AWS/EventBridge/Pipes   https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from __future__ import annotations

from itertools import product

_GATEWAY = [{"ApiId"}, {"ApiId", "Stage"}]  # a route's own only where detailed metrics are paid for
_LAMBDA = [
    {"FunctionName"},
    {"FunctionName", "Resource"},
    {"FunctionName", "Resource", "ExecutedVersion"},  # while an alias has two versions
]
_TABLE = [{"TableName"}, {"TableName", "GlobalSecondaryIndexName"}]

DOCUMENTED: dict[tuple[str, str], list[set[str]]] = {
    **{
        ("AWS/ApiGateway", name): _GATEWAY
        for name in ("4xx", "5xx", "Count", "IntegrationLatency", "Latency", "DataProcessed")
    },
    **{
        ("AWS/Lambda", name): _LAMBDA
        for name in ("ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles")
    },
    ("AWS/Lambda", "ClaimedAccountConcurrency"): [set()],  # of a whole region
    **{
        ("AWS/DynamoDB", f"{kind}{name}"): _TABLE
        for kind, name in product(("Read", "Write"), ("ThrottleEvents",))
    },
    **{("AWS/DynamoDB", f"Consumed{kind}CapacityUnits"): _TABLE for kind in ("Read", "Write")},
    ("AWS/Logs", "IncomingBytes"): [{"LogGroupName"}],
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): [{"QueueName"}],
    **{
        ("AWS/EventBridge/Pipes", name): [{"PipeName"}]
        for name in ("ExecutionFailed", "ExecutionPartiallyFailed", "ExecutionTimeout")
    },
}
