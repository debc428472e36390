"""Who may call the API, and what each function may do."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from tests.infrastructure.conftest import of_type, rights

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Deploy

# Where the service knows no resource to name.
OBSERVE = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
NETWORK = {
    ("ec2:CreateNetworkInterface", "*"),
    ("ec2:DescribeNetworkInterfaces", "*"),
    ("ec2:DescribeSubnets", "*"),
    ("ec2:DeleteNetworkInterface", "*"),
    ("ec2:AssignPrivateIpAddresses", "*"),
    ("ec2:UnassignPrivateIpAddresses", "*"),
}
CONNECT = OBSERVE | {
    ("dynamodb:UpdateItem", "AttemptsTable.Arn"),
    ("dynamodb:GetItem", "AttemptsTable.Arn"),
    ("dynamodb:BatchGetItem", "AttemptsTable.Arn"),
    ("dynamodb:Query", "AttemptsTable.Arn/index/byCharger"),
    ("logs:CreateLogStream", "ConnectLogs.Arn"),
    ("logs:PutLogEvents", "ConnectLogs.Arn"),
}
ATTEMPTS = OBSERVE | {
    ("dynamodb:GetItem", "AttemptsTable.Arn"),
    ("dynamodb:BatchGetItem", "AttemptsTable.Arn"),
    ("dynamodb:Query", "AttemptsTable.Arn/index/byCharger"),
    ("logs:CreateLogStream", "AttemptsLogs.Arn"),
    ("logs:PutLogEvents", "AttemptsLogs.Arn"),
}
CALLBACK = OBSERVE | {
    ("dynamodb:GetItem", "AttemptsTable.Arn"),
    ("dynamodb:UpdateItem", "AttemptsTable.Arn"),
    ("logs:CreateLogStream", "CallbackLogs.Arn"),
    ("logs:PutLogEvents", "CallbackLogs.Arn"),
}
# An OCPP server posts there without credentials: the path is signed, and the function takes no other.
OPEN = {"CallbackRoute"}
SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:steve-a1b2c3"
VPC = {"VpcId": "vpc-0a", "SubnetIds": "subnet-0a,subnet-0b", "LinkNetworks": "10.0.0.0/16,10.9.0.0/24"}


def closed_routes(resources: dict[str, Any]) -> dict[str, Any]:
    """Every route but the one that is open on purpose."""
    routes = of_type(resources, "AWS::ApiGatewayV2::Route")
    assert {name for name, route in routes.items() if route["AuthorizationType"] == "NONE"} == OPEN
    return {name: route for name, route in routes.items() if name not in OPEN}


def test_every_route_but_the_callbacks_asks_for_a_signature(deploy: Deploy) -> None:
    resources = deploy()
    routes = closed_routes(resources)
    assert len(routes) == 3
    assert {route["AuthorizationType"] for route in routes.values()} == {"AWS_IAM"}
    assert not of_type(resources, "AWS::ApiGatewayV2::Authorizer")


def test_every_route_but_the_callbacks_asks_for_a_token_where_an_issuer_is_given(deploy: Deploy) -> None:
    resources = deploy(JwtIssuer="https://issuer.example/", JwtAudience="one,two")
    routes = closed_routes(resources)
    assert {(route["AuthorizationType"], route["AuthorizerId"]) for route in routes.values()} == {
        ("JWT", "JwtAuthorizer")
    }
    assert resources["JwtAuthorizer"]["Properties"]["JwtConfiguration"] == {
        "Issuer": "https://issuer.example/",
        "Audience": ["one", "two"],
    }


def test_the_gateway_may_call_the_live_alias_for_each_route_and_nothing_else_may(deploy: Deploy) -> None:
    resources = deploy()
    permissions = of_type(resources, "AWS::Lambda::Permission")
    integrations = of_type(resources, "AWS::ApiGatewayV2::Integration")
    used = set()
    for route in of_type(resources, "AWS::ApiGatewayV2::Route").values():
        method, path = route["RouteKey"].split(" ")
        alias = integrations[route["Target"].removeprefix("integrations/")]["IntegrationUri"]
        assert alias.endswith("Aliaslive")
        call = f":Api/$default/{'POST' if method == 'ANY' else method}{path}"
        granted = {
            name
            for name, permission in permissions.items()
            if permission["FunctionName"] == alias
            and fnmatchcase(call, "*" + permission["SourceArn"].split(":")[-1])
        }
        assert granted, route["RouteKey"]
        used |= granted
    assert used == set(permissions)
    assert {permission["Principal"] for permission in permissions.values()} == {"apigateway.amazonaws.com"}


def test_each_function_has_its_own_role_which_only_lambda_may_assume(deploy: Deploy) -> None:
    resources = deploy()
    functions = of_type(resources, "AWS::Lambda::Function")
    roles = [function["Role"].split(".")[0] for function in functions.values()]
    assert sorted(roles) == sorted(of_type(resources, "AWS::IAM::Role"))
    for role in roles:
        (statement,) = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize(
    ("parameters", "function", "expected"),
    [
        ({}, "ConnectFunction", CONNECT),
        ({}, "AttemptsFunction", ATTEMPTS),
        (VPC, "ConnectFunction", CONNECT | NETWORK),
        (VPC, "AttemptsFunction", ATTEMPTS),
        ({}, "CallbackFunction", CALLBACK),
        (VPC, "CallbackFunction", CALLBACK),
        ({"LinkSecretArns": SECRET}, "CallbackFunction", CALLBACK),
        (
            {"LinkSecretArns": f"{SECRET},{SECRET}-2"},
            "ConnectFunction",
            CONNECT
            | {("secretsmanager:GetSecretValue", SECRET), ("secretsmanager:GetSecretValue", f"{SECRET}-2")},
        ),
        (
            {"LinkServers": "ssm:/charger-connect/servers"},
            "ConnectFunction",
            CONNECT
            | {("ssm:GetParameter", "arn:aws:ssm:eu-west-1:000000000000:parameter/charger-connect/servers")},
        ),
    ],
)
def test_a_function_may_do_what_it_needs_and_nothing_else(
    deploy: Deploy, parameters: dict[str, str], function: str, expected: set[tuple[str, str]]
) -> None:
    assert rights(deploy(**parameters), function) == expected


def test_no_action_is_a_wildcard(transformed: dict[str, Any]) -> None:
    actions = re.findall(r'"([a-z0-9]+:[A-Z*][A-Za-z*]*)"', json.dumps(transformed["Resources"]))
    assert len(actions) > 10
    assert not [action for action in actions if "*" in action]


def test_a_function_outside_a_vpc_has_no_network_of_its_own(deploy: Deploy) -> None:
    resources = deploy()
    assert not [name for name, resource in resources.items() if resource["Type"].startswith("AWS::EC2::")]
    assert "VpcConfig" not in resources["ConnectFunction"]["Properties"]


def test_in_a_vpc_the_connect_function_reaches_the_link_networks_and_tls_alone(deploy: Deploy) -> None:
    resources = deploy(**VPC)
    assert resources["ConnectFunction"]["Properties"]["VpcConfig"] == {
        "SubnetIds": ["subnet-0a", "subnet-0b"],
        "SecurityGroupIds": ["LinkSecurityGroup.GroupId"],
    }
    assert "VpcConfig" not in resources["AttemptsFunction"]["Properties"]
    assert "VpcConfig" not in resources["CallbackFunction"]["Properties"]
    group = resources["LinkSecurityGroup"]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [
        ("0.0.0.0/0", 443, 443),
        ("10.0.0.0/16", 1, 65535),
        ("10.9.0.0/24", 1, 65535),
    ]
    assert "TableEndpoint" not in resources


def test_the_table_gets_an_endpoint_in_the_route_tables_given(deploy: Deploy) -> None:
    endpoint = deploy(**VPC, RouteTableIds="rtb-0a,rtb-0b")["TableEndpoint"]["Properties"]
    assert endpoint["RouteTableIds"] == ["rtb-0a", "rtb-0b"]
    assert endpoint["ServiceName"] == "com.amazonaws.eu-west-1.dynamodb"
