"""Who may call the API, and what each function may do."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from local.template import Resolver
from tests.infrastructure.conftest import of_type, rights, statements

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
# Asks every version of the three, and tells CodeDeploy.
PREFLIGHT = OBSERVE | {
    ("lambda:InvokeFunction", "ConnectFunction.Arn:*"),
    ("lambda:InvokeFunction", "AttemptsFunction.Arn:*"),
    ("lambda:InvokeFunction", "CallbackFunction.Arn:*"),
    (
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "arn:aws:codedeploy:eu-west-1:000000000000:deploymentgroup:ServerlessDeploymentApplication/*",
    ),
    ("logs:CreateLogStream", "PreflightLogs.Arn"),
    ("logs:PutLogEvents", "PreflightLogs.Arn"),
}
HELP = OBSERVE | {("logs:CreateLogStream", "HelpLogs.Arn"), ("logs:PutLogEvents", "HelpLogs.Arn")}
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


def test_every_route_but_the_callbacks_asks_for_a_token_with_access_jwt(deploy: Deploy) -> None:
    resources = deploy(Access="jwt", JwtIssuer="https://issuer.example/", JwtAudience="one,two")
    routes = closed_routes(resources)
    assert {(route["AuthorizationType"], route["AuthorizerId"]) for route in routes.values()} == {
        ("JWT", "JwtAuthorizer")
    }
    assert resources["JwtAuthorizer"]["Properties"]["JwtConfiguration"] == {
        "Issuer": "https://issuer.example/",
        "Audience": ["one", "two"],
    }


def test_with_access_jwt_connecting_and_reading_all_attempts_are_scopes_of_their_own(deploy: Deploy) -> None:
    routes = closed_routes(deploy(Access="jwt", JwtIssuer="https://issuer.example/", JwtAudience="one"))
    assert {route["RouteKey"]: route["AuthorizationScopes"] for route in routes.values()} == {
        "ANY /api/v1/ocpp/charger-connect": ["connect"],
        "GET /api/v1/ocpp/charger-connect/{id}": ["connect", "read"],
        "GET /api/v1/ocpp/chargers/{chargerId}/attempts": ["read"],
    }


def test_with_access_iam_connecting_and_reading_all_attempts_are_policies_of_their_own(
    deploy: Deploy,
) -> None:
    policies = {
        name: [resource.split("$default/")[1] for resource in statement["Resource"]]
        for name, policy in of_type(deploy(), "AWS::IAM::ManagedPolicy").items()
        for statement in policy["PolicyDocument"]["Statement"]
    }
    assert policies == {
        "ConnectPolicy": ["POST/api/v1/ocpp/charger-connect", "GET/api/v1/ocpp/charger-connect/*"],
        "ReadPolicy": ["GET/api/v1/ocpp/charger-connect/*", "GET/api/v1/ocpp/chargers/*/attempts"],
    }


NETWORK_ACCESS = {
    "Access": "network",
    "AllowedSources": "203.0.113.0/28",
    "AllowedReaders": "198.51.100.7/32",
}


def test_with_access_network_every_route_but_the_callbacks_asks_the_authorizer(deploy: Deploy) -> None:
    resources = deploy(**NETWORK_ACCESS)
    assert {
        (route["AuthorizationType"], route["AuthorizerId"]) for route in closed_routes(resources).values()
    } == {("CUSTOM", "NetworkAuthorizer")}
    authorizer = resources["NetworkAuthorizer"]["Properties"]
    assert authorizer["AuthorizerUri"].endswith("/functions/AuthorizerFunctionAliaslive/invocations")
    assert (authorizer["AuthorizerType"], authorizer["AuthorizerPayloadFormatVersion"]) == ("REQUEST", "2.0")
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    given = resources["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]
    assert given["ALLOWED_SOURCES"] == "203.0.113.0/28"
    assert given["ALLOWED_READERS"] == "198.51.100.7/32"
    assert rights(resources, "AuthorizerFunction") == OBSERVE | {
        ("logs:CreateLogStream", "AuthorizerLogs.Arn"),
        ("logs:PutLogEvents", "AuthorizerLogs.Arn"),
    }


@pytest.mark.parametrize("access", ["iam", "jwt"])
def test_without_access_network_there_is_no_function_that_lets_networks_in(
    deploy: Deploy, access: str
) -> None:
    assert not {"AuthorizerFunction", "AuthorizerRole", "AuthorizerLogs", "NetworkAuthorizer"} & set(
        deploy(Access=access)
    )


@pytest.mark.parametrize(
    ("rule", "asked", "needed"),
    [
        ("SourcesAreNamed", {"Access": "network"}, {"AllowedSources": "203.0.113.0/28"}),
        ("JwtIsComplete", {"Access": "jwt", "JwtAudience": "one"}, {"JwtIssuer": "https://issuer.example/"}),
        ("JwtIsComplete", {"Access": "jwt", "JwtIssuer": "https://issuer.example/"}, {"JwtAudience": "one"}),
        ("DomainIsComplete", {"DomainName": "charge.example.com"}, {"CertificateArn": "arn"}),
        ("MutualTlsHasADomain", {"TruststoreUri": "s3://a/b.pem"}, {"DomainName": "charge.example.com"}),
        ("NetworkIsComplete", {"VpcId": "vpc-0a", "SubnetIds": "subnet-0a"}, {"LinkNetworks": "10.0.0.0/8"}),
    ],
)
def test_a_deployment_that_lacks_a_parameter_which_it_needs_is_refused(
    source: dict[str, Any], rule: str, asked: dict[str, str], needed: dict[str, str]
) -> None:
    def holds(parameters: dict[str, str]) -> bool:
        resolver = Resolver(source, parameters)
        assert resolver.resolve(source["Rules"][rule]["RuleCondition"])
        return all(resolver.resolve(assertion["Assert"]) for assertion in source["Rules"][rule]["Assertions"])

    assert not holds(asked)
    assert holds(asked | needed)


def test_a_domain_of_ones_own_turns_the_execute_api_endpoint_off(deploy: Deploy) -> None:
    resources = deploy(
        DomainName="charge.example.com", CertificateArn="arn:aws:acm:eu-west-1:0:certificate/a"
    )
    assert resources["Api"]["Properties"]["DisableExecuteApiEndpoint"] is True
    assert resources["DomainMapping"]["Properties"] == {
        "ApiId": "Api",
        "DomainName": "Domain",
        "Stage": "ApiStage",
    }
    assert "MutualTlsAuthentication" not in resources["Domain"]["Properties"]
    assert deploy()["Api"]["Properties"]["DisableExecuteApiEndpoint"] is False


def test_a_truststore_asks_clients_for_their_certificates(deploy: Deploy) -> None:
    resources = deploy(
        DomainName="charge.example.com", CertificateArn="arn", TruststoreUri="s3://bucket/clients.pem"
    )
    assert resources["Domain"]["Properties"]["MutualTlsAuthentication"] == {
        "TruststoreUri": "s3://bucket/clients.pem"
    }
    assert resources["Api"]["Properties"]["DisableExecuteApiEndpoint"] is True


KEY = "arn:aws:kms:eu-west-1:000000000000:key/0a"


def test_a_key_of_ones_own_encrypts_whatever_is_kept(deploy: Deploy) -> None:
    resources = deploy(KmsKeyArn=KEY, ServeDocs="true", **NETWORK_ACCESS)
    assert resources["AttemptsTable"]["Properties"]["SSESpecification"]["KMSMasterKeyId"] == KEY
    assert resources["JournalSecret"]["Properties"]["KmsKeyId"] == KEY
    assert {group["KmsKeyId"] for group in of_type(resources, "AWS::Logs::LogGroup").values()} == {KEY}
    functions = of_type(resources, "AWS::Lambda::Function")
    assert {function["KmsKeyArn"] for function in functions.values()} == {KEY}
    for function in functions:
        assert ("kms:Decrypt", KEY) in rights(resources, function)


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
    assert sorted([*roles, "DeploymentRole"]) == sorted(of_type(resources, "AWS::IAM::Role"))
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
        *(
            (
                {"LinkServers": f"ssm:/charger-connect/servers{version}"},
                "ConnectFunction",
                CONNECT
                | {
                    (
                        "ssm:GetParameter",
                        "arn:aws:ssm:eu-west-1:000000000000:parameter/charger-connect/servers",
                    )
                },
            )
            for version in ("", ":12")
        ),
        ({}, "PreflightFunction", PREFLIGHT),
        (
            NETWORK_ACCESS,
            "PreflightFunction",
            PREFLIGHT | {("lambda:InvokeFunction", "AuthorizerFunction.Arn:*")},
        ),
    ],
)
def test_a_function_may_do_what_it_needs_and_nothing_else(
    deploy: Deploy, parameters: dict[str, str], function: str, expected: set[tuple[str, str]]
) -> None:
    assert rights(deploy(**parameters), function) == expected


@pytest.mark.parametrize(
    ("access", "authorizer"), [({}, ()), (NETWORK_ACCESS, ("AuthorizerFunction",))], ids=["iam", "network"]
)
def test_codedeploy_may_shift_these_functions_and_nothing_else(
    deploy: Deploy, access: dict[str, str], authorizer: tuple[str, ...]
) -> None:
    role = deploy(**access)["DeploymentRole"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "codedeploy.amazonaws.com"}
    assert "ManagedPolicyArns" not in role
    functions = ("ConnectFunction", "AttemptsFunction", "CallbackFunction", *authorizer)
    found = statements(role)
    assert {resource for action, resource in found if action == "lambda:UpdateAlias"} == {
        name for function in functions for name in (f"{function}.Arn", f"{function}.Arn:live")
    }
    assert {pair for pair in found if pair[1] == "*"} == {("cloudwatch:DescribeAlarms", "*")}
    assert ("lambda:InvokeFunction", "PreflightFunction.Arn") in found


def test_no_resource_is_a_wildcard_but_where_the_service_knows_none(deploy: Deploy) -> None:
    resources = deploy(**VPC, **NETWORK_ACCESS)
    functions = of_type(resources, "AWS::Lambda::Function")
    open_ones = {pair for name in functions for pair in rights(resources, name) if pair[1] == "*"}
    assert open_ones == OBSERVE | NETWORK


def test_no_action_is_a_wildcard(transformed: dict[str, Any], nested: dict[str, dict[str, Any]]) -> None:
    resources = [template["Resources"] for template in (transformed, *nested.values())]
    actions = re.findall(r'"([a-z0-9]+:[A-Z*][A-Za-z*]*)"', json.dumps(resources))
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


def test_the_help_page_is_served_only_where_it_is_asked_for_and_may_do_nothing(deploy: Deploy) -> None:
    assert not [name for name in deploy() if name.startswith("Help")]
    resources = deploy(ServeDocs="true")
    routes = of_type(resources, "AWS::ApiGatewayV2::Route")
    assert {name for name, route in routes.items() if route["AuthorizationType"] == "NONE"} == {
        *OPEN,
        "HelpRoute",
    }
    assert routes["HelpRoute"]["RouteKey"] == "GET /docs"
    assert rights(resources, "HelpFunction") == HELP
    assert resources["HelpPermission"]["Properties"]["SourceArn"].endswith("/GET/docs")
