"""The resources of the templates, after SAM's transform."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.lint_template import findings
from scripts.transform import extend, transform
from tests.infrastructure.conftest import of_type

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Deploy

ROOT = Path(__file__).parents[2]
SHIFTED = {"ConnectFunction", "AttemptsFunction", "CallbackFunction"}  # by CodeDeploy
FUNCTIONS = {*SHIFTED, "AuthorizerFunction", "ResolveFunction"}
LAYERS = {
    "CommonLayer": FUNCTIONS,
    "DependenciesLayer": FUNCTIONS,
    "ChargerLinkLayer": {"ConnectFunction", "AttemptsFunction", "CallbackFunction", "ResolveFunction"},
}


_SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:"

# A deployment with every function and a network, and a different value for each parameter that may concern a function.
BEFORE = {
    "Access": "network",
    "AllowedSources": "203.0.113.0/28",
    "VpcId": "vpc-0a",
    "SubnetIds": "subnet-0a",
    "LinkNetworks": "10.0.0.0/16",
}
CHANGES = {
    "LinkServers": "ssm:/charger-connect/servers:2",
    "LinkTimeout": "7",
    "DefaultLinkServer": "10.0.0.5:8080",
    "LinkSecretArns": f"{_SECRET}steve-a1b2c3",
    "CallbackBaseUrl": "https://charge.example.com",
    "RetentionDays": "3",
    "ClockTolerance": "7",
    "StartWindow": "77",
    "PauseStarts": "true",
    "AllowedSources": "203.0.113.0/24",
    "AllowedReaders": "203.0.113.0/24",
    "AllowedOperators": "203.0.113.0/24",
    "DomainName": "charge.example.com",
    "ThrottleRate": "7",
    "ReservedConcurrency": "50",
    "ConcurrencyLimit": "5000",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:000000000000:key/0a-1b",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:000000000000:night",
    "EventBus": "default",
    "Deployment": "AllAtOnce",
    "TableDeletionPolicy": "Delete",
    "TableDeletionProtection": "false",
    "LogLevel": "DEBUG",
    "LogRetentionDays": "7",
    "Architecture": "x86_64",
    "MemorySize": "256",
    "SnapStart": "PublishedVersions",
    "SubnetIds": "subnet-0b",
    "LinkNetworks": "10.0.0.0/8",
    "RouteTableIds": "rtb-0a",
    "ServeDocs": "true",
}
# Lambda stores these with the function, not with its versions, and refuses to publish a version without another difference.
NOT_OF_A_VERSION = {"ReservedConcurrentExecutions", "Tags"}


def published(template: dict[str, Any], **parameters: str) -> dict[str, str]:
    """Return the logical id of the version of each function's alias: SAM publishes a version if it changes."""
    resources = transform(extend(template, parameters))["Resources"]
    return {
        name: resources[f"{name}Aliaslive"]["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
        for name in FUNCTIONS
    }


def test_the_transformed_templates_are_clean(
    transformed: dict[str, Any], nested: dict[str, dict[str, Any]]
) -> None:
    for template in (transformed, *nested.values()):
        assert findings(template) == []


def test_templates_have_no_loops(source: dict[str, Any], nested: dict[str, dict[str, Any]]) -> None:
    assert set(nested) == {"Roles", "Rollout", "Monitoring", "Routes", "Schedule", "Events"}
    assert [
        template for template in (source, *nested.values()) if "Fn::ForEach" in json.dumps(template)
    ] == []


def test_a_wrong_reference_in_a_function_is_found(source: dict[str, Any]) -> None:
    wrong = copy.deepcopy(source)
    wrong["Resources"]["ConnectFunction"]["Properties"]["Environment"]["Variables"]["NEW"] = {
        "Ref": "Nothing"
    }
    assert [finding[:5] for finding in findings(transform(wrong))] == ["E1020"]


@pytest.mark.parametrize(("layer", "users"), LAYERS.items())
def test_a_change_in_a_layer_alone_publishes_the_functions_that_have_it(
    source: dict[str, Any], layer: str, users: set[str]
) -> None:
    changed = copy.deepcopy(source)
    changed["Resources"][layer]["Properties"]["ContentUri"] = "s3://bucket/changed"
    before, after = published(source), published(changed)
    assert {name for name in FUNCTIONS if before[name] != after[name]} == users


def test_the_test_above_covers_every_layer(source: dict[str, Any]) -> None:
    assert set(of_type(source["Resources"], "AWS::Serverless::LayerVersion")) == set(LAYERS)


def test_a_change_of_a_parameter_publishes_the_function_that_reads_it(source: dict[str, Any]) -> None:
    before, after = published(source), published(source, PauseStarts="true")
    assert {name for name in FUNCTIONS if before[name] != after[name]} == {"ConnectFunction"}


@pytest.mark.parametrize(("parameter", "value"), CHANGES.items())
def test_a_version_is_published_exactly_if_lambda_stores_a_difference(
    source: dict[str, Any], deploy: Deploy, parameter: str, value: str
) -> None:
    def kept(parameters: dict[str, str]) -> dict[str, dict[str, Any]]:
        functions = of_type(deploy(**parameters), "AWS::Lambda::Function")
        return {
            name: {key: functions[name][key] for key in functions[name].keys() - NOT_OF_A_VERSION}
            for name in FUNCTIONS
        }

    before, after = BEFORE, BEFORE | {parameter: value}
    old, new = published(source, **before), published(source, **after)
    was, is_now = kept(before), kept(after)
    assert {name for name in FUNCTIONS if old[name] != new[name]} == {
        name for name in FUNCTIONS if was[name] != is_now[name]
    }


def test_each_function_has_its_own_log_group_with_a_retention(deploy: Deploy) -> None:
    resources = deploy(LogRetentionDays="7")
    functions = of_type(resources, "AWS::Lambda::Function")
    groups = [function["LoggingConfig"]["LogGroup"] for function in functions.values()]
    assert len(groups) == len(set(groups)) == len(functions)
    for group in of_type(resources, "AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == "7"


def test_functions_have_the_configured_runtime_processor_and_memory(deploy: Deploy) -> None:
    for function in of_type(deploy(), "AWS::Lambda::Function").values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["MemorySize"] == 512
        assert function["TracingConfig"] == {"Mode": "Active"}


def test_the_timeout_of_a_function_is_shorter_than_that_of_the_gateway(deploy: Deploy) -> None:
    functions = of_type(deploy(), "AWS::Lambda::Function")
    assert {functions[name]["Timeout"] for name in SHIFTED} == {29}


def test_concurrency_is_unreserved_by_default(deploy: Deploy) -> None:
    assert "ReservedConcurrentExecutions" not in deploy()["ConnectFunction"]["Properties"]
    reserved = deploy(ReservedConcurrency="50")["ConnectFunction"]["Properties"]
    assert reserved["ReservedConcurrentExecutions"] == "50"


def test_the_table_is_protected_encrypted_and_backed_up(deploy: Deploy) -> None:
    table = deploy()["AttemptsTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] == "true"
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}


def test_a_deployment_may_allow_deletion_of_its_table(deploy: Deploy) -> None:
    table = deploy(TableDeletionPolicy="Delete", TableDeletionProtection="false")["AttemptsTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Delete", "Delete")
    assert table["Properties"]["DeletionProtectionEnabled"] == "false"


def test_the_table_has_a_sparse_index_of_unfinished_attempts(deploy: Deploy) -> None:
    (index,) = [
        index
        for index in deploy()["AttemptsTable"]["Properties"]["GlobalSecondaryIndexes"]
        if index["IndexName"] == "unfinished"
    ]
    assert index == {
        "IndexName": "unfinished",
        "KeySchema": [
            {"AttributeName": "shard", "KeyType": "HASH"},
            {"AttributeName": "dueAt", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state", "createdAt"]},
    }


def test_the_stack_generates_the_key_of_the_fingerprints(deploy: Deploy) -> None:
    for function in ("ConnectFunction", "CallbackFunction", "ResolveFunction"):
        variables = deploy()[function]["Properties"]["Environment"]["Variables"]
        assert variables["JOURNAL_SECRET"] == "{{resolve:secretsmanager:JournalSecret:SecretString}}"
    assert deploy()["JournalSecret"]["Properties"]["GenerateSecretString"]["PasswordLength"] >= 32


def test_access_logs_are_json_without_the_path(deploy: Deploy) -> None:
    stage = deploy()["ApiStage"]["Properties"]
    entry = json.loads(stage["AccessLogSettings"]["Format"])
    assert entry["route"] == "$context.routeKey"
    assert not [value for value in entry.values() if "path" in value.lower()]
    assert stage["AccessLogSettings"]["DestinationArn"] == "ApiLogs.Arn"


def test_the_stage_throttles(deploy: Deploy) -> None:
    assert deploy(ThrottleRate="5")["ApiStage"]["Properties"]["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": "5",
        "ThrottlingBurstLimit": 200,
    }


def test_the_page_about_deployment_lists_every_parameter(source: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert [name for name in source["Parameters"] if f"`{name}`" not in page] == []


def test_every_parameter_has_a_description(source: dict[str, Any]) -> None:
    undescribed = [
        name for name, entry in source["Parameters"].items() if len(entry.get("Description", "")) < 10
    ]
    assert undescribed == []


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "LinkServers",
            ["[]", '[{"network": "10.0.0.0/8"}]', "ssm:/a/b-c_d.e", "ssm:/a:12"],
            ["", "{}", "ssm:name", "ssm:/a b", "ssm:/a:", "ssm:/a:b"],
        ),
        ("DefaultLinkServer", ["", "10.0.0.5:8080", "[fd00::5]:80"], ["10.0.0.5", "csms.example:80"]),
        ("JwtIssuer", ["", "https://issuer.example/"], ["http://issuer.example/", "issuer"]),
        (
            "LinkNetworks",
            ["", "10.0.0.0/8", "10.0.0.0/8,10.1.0.0/16"],
            ["10.0.0.0", "10.0.0.0/8, 10.1.0.0/16"],
        ),
        ("LinkNetworks", [",".join(["10.0.0.0/8"] * 5)], [",".join(["10.0.0.0/8"] * 6), "fd00::/8"]),
        *(
            (
                name,
                [
                    "",
                    "203.0.113.0/28",
                    "10.1.0.0/16,198.51.100.7/32",
                    "2001:db8::/32,2001:db8::1/128",
                    "office=203.0.113.0/28,198.51.100.7/32,back-office.2=2001:db8::/32",
                    "203.0.113.0/24=203.0.113.0/28,2001:db8::/32=2001:db8::1/128",
                ],
                [
                    "=203.0.113.0/28",
                    "a b=203.0.113.0/28",
                    "a=b=203.0.113.0/28",
                    "office=",
                    "office=0.0.0.0/0",
                    "203.0.113.0/28=office",
                    "0.0.0.0/0",
                    "::/0",
                    "0.0.0.0/1,128.0.0.0/1",
                    "10.0.0.0/15",
                    "203.0.113.7",
                    "2001:db8::/31",
                    "::/1",
                ],
            )
            for name in ("AllowedSources", "AllowedReaders", "AllowedOperators")
        ),
        (
            "EventBus",
            ["", "default", "partner/one.two_3-4"],
            ["arn:aws:events:eu-west-1:0:event-bus/a", "a b"],
        ),
        ("ReservedConcurrency", ["", "1", "500"], ["0", "-1", "many"]),
        ("DomainName", ["", "charge.example.com"], ["https://a.b", "a", "*.example.com"]),
        ("TruststoreUri", ["", "s3://bucket/clients.pem"], ["https://a/b.pem", "s3://bucket"]),
        ("AlarmTopicArn", ["", "arn:aws:sns:eu-west-1:000000000000:night"], ["night", "arn:aws:sqs:a:0:b"]),
        ("KmsKeyArn", ["", "arn:aws:kms:eu-west-1:000000000000:key/0a-1b"], ["alias/mine", "*"]),
        ("SubnetIds", ["", "subnet-0a1", "subnet-0a1,subnet-0b2"], ["0a1", "subnet-0a1, subnet-0b2"]),
        ("RouteTableIds", ["", "rtb-0a1,rtb-0b2"], ["0a1", "rtb-0a1 rtb-0b2"]),
        ("VpcId", ["", "vpc-0a1"], ["0a1"]),
        (
            "CallbackBaseUrl",
            ["", "https://charge.example.com", "https://charge.example.com/v2/ocpp"],
            ["http://charge.example.com", "https://charge.example.com/", "https://", "https://a.b?c"],
        ),
        (
            "LinkSecretArns",
            ["", f"{_SECRET}steve-a1b2c3", f"{_SECRET}a/b-a1b2c3,{_SECRET}c-a1b2c3"],
            ["steve", f"{_SECRET}a, {_SECRET}b", f"{_SECRET}*,*", "*"],
        ),
    ],
)
def test_parameters_accept_valid_values_only(
    source: dict[str, Any], parameter: str, good: list[str], bad: list[str]
) -> None:
    pattern = source["Parameters"][parameter]["AllowedPattern"]
    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []
