"""The authorisation of callers, and the rights of each function."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from local.template import Resolver
from tests.infrastructure.conftest import many, of_type, rights, statements

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Deploy

# Actions without resources.
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
READ_AND_RESOLVE = {
    ("dynamodb:GetItem", "AttemptsTable.Arn"),
    ("dynamodb:BatchGetItem", "AttemptsTable.Arn"),
    ("dynamodb:UpdateItem", "AttemptsTable.Arn"),
    ("dynamodb:Query", "AttemptsTable.Arn/index/byCharger"),
    ("dynamodb:Query", "AttemptsTable.Arn/index/unfinished"),
}
RESOLVE = (
    OBSERVE
    | READ_AND_RESOLVE
    | {("logs:CreateLogStream", "ResolveLogs.Arn"), ("logs:PutLogEvents", "ResolveLogs.Arn")}
)
ATTEMPTS = OBSERVE | {
    *READ_AND_RESOLVE,
    ("logs:CreateLogStream", "AttemptsLogs.Arn"),
    ("logs:PutLogEvents", "AttemptsLogs.Arn"),
}
CALLBACK = OBSERVE | {
    ("dynamodb:GetItem", "AttemptsTable.Arn"),
    ("dynamodb:UpdateItem", "AttemptsTable.Arn"),
    ("logs:CreateLogStream", "CallbackLogs.Arn"),
    ("logs:PutLogEvents", "CallbackLogs.Arn"),
}
# Invokes every version of the four, and reports to CodeDeploy.
PREFLIGHT = OBSERVE | {
    ("lambda:InvokeFunction", "ConnectFunction.Arn:*"),
    ("lambda:InvokeFunction", "AttemptsFunction.Arn:*"),
    ("lambda:InvokeFunction", "CallbackFunction.Arn:*"),
    ("lambda:InvokeFunction", "ResolveFunction.Arn:*"),
    (
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "arn:aws:codedeploy:eu-west-1:000000000000:deploymentgroup:ServerlessDeploymentApplication/*",
    ),
    ("logs:CreateLogStream", "PreflightLogs.Arn"),
    ("logs:PutLogEvents", "PreflightLogs.Arn"),
}
HELP = OBSERVE | {("logs:CreateLogStream", "HelpLogs.Arn"), ("logs:PutLogEvents", "HelpLogs.Arn")}
# OCPP servers post there without credentials: the path is signed, and the function rejects any other.
OPEN = {"CallbackRoute"}
SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:steve-a1b2c3"
VPC = {"VpcId": "vpc-0a", "SubnetIds": "subnet-0a,subnet-0b", "LinkNetworks": "10.0.0.0/16,10.9.0.0/24"}


def protected_routes(resources: dict[str, Any]) -> dict[str, Any]:
    """Return every route except the one that has no authorizer on purpose."""
    routes = of_type(resources, "AWS::ApiGatewayV2::Route")
    assert {name for name, route in routes.items() if route["AuthorizationType"] == "NONE"} == OPEN
    return {name: route for name, route in routes.items() if name not in OPEN}


def test_every_route_except_the_callback_requires_a_signature(deploy: Deploy) -> None:
    resources = deploy()
    routes = protected_routes(resources)
    assert len(routes) == 6
    assert {route["AuthorizationType"] for route in routes.values()} == {"AWS_IAM"}
    assert not of_type(resources, "AWS::ApiGatewayV2::Authorizer")


def test_with_access_jwt_every_route_except_the_callback_requires_a_token(deploy: Deploy) -> None:
    resources = deploy(Access="jwt", JwtIssuer="https://issuer.example/", JwtAudience="one,two")
    routes = protected_routes(resources)
    assert {(route["AuthorizationType"], route["AuthorizerId"]) for route in routes.values()} == {
        ("JWT", "JwtAuthorizer")
    }
    assert resources["JwtAuthorizer"]["Properties"]["JwtConfiguration"] == {
        "Issuer": "https://issuer.example/",
        "Audience": ["one", "two"],
    }


def test_with_access_jwt_connecting_reading_all_attempts_and_resolving_need_different_scopes(
    deploy: Deploy,
) -> None:
    routes = protected_routes(deploy(Access="jwt", JwtIssuer="https://issuer.example/", JwtAudience="one"))
    assert {route["RouteKey"]: route["AuthorizationScopes"] for route in routes.values()} == {
        "ANY /api/v1/ocpp/charger-connect": ["connect"],
        "GET /api/v1/ocpp/charger-connect/{id}": ["connect", "read"],
        "DELETE /api/v1/ocpp/charger-connect/{id}": ["connect"],
        "GET /api/v1/ocpp/chargers/{chargerId}/attempts": ["read"],
        "GET /api/v1/ocpp/attempts": ["read"],
        "PUT /api/v1/ocpp/charger-connect/{id}/resolution": ["operate"],
    }


def test_with_access_iam_connecting_reading_all_attempts_and_resolving_need_different_policies(
    deploy: Deploy,
) -> None:
    policies = {
        name: [resource.split("$default/")[1] for resource in many(statement["Resource"])]
        for name, policy in of_type(deploy(), "AWS::IAM::ManagedPolicy").items()
        for statement in policy["PolicyDocument"]["Statement"]
    }
    assert policies == {
        "ConnectPolicy": [
            "POST/api/v1/ocpp/charger-connect",
            "GET/api/v1/ocpp/charger-connect/*",
            "DELETE/api/v1/ocpp/charger-connect/*",
        ],
        "ReadPolicy": [
            "GET/api/v1/ocpp/charger-connect/*",
            "GET/api/v1/ocpp/chargers/*/attempts",
            "GET/api/v1/ocpp/attempts",
        ],
        "OperatePolicy": ["PUT/api/v1/ocpp/charger-connect/*/resolution"],
    }


NETWORK_ACCESS = {
    "Access": "network",
    "AllowedSources": "203.0.113.0/28",
    "AllowedReaders": "198.51.100.7/32",
    "AllowedOperators": "198.51.100.8/32",
}


def test_with_access_network_every_route_except_the_callback_invokes_the_authorizer(deploy: Deploy) -> None:
    resources = deploy(**NETWORK_ACCESS)
    assert {
        (route["AuthorizationType"], route["AuthorizerId"]) for route in protected_routes(resources).values()
    } == {("CUSTOM", "NetworkAuthorizer")}
    authorizer = resources["NetworkAuthorizer"]["Properties"]
    assert authorizer["AuthorizerUri"].endswith("/functions/AuthorizerFunctionAliaslive/invocations")
    assert (authorizer["AuthorizerType"], authorizer["AuthorizerPayloadFormatVersion"]) == ("REQUEST", "2.0")
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    given = resources["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]
    assert given["ALLOWED_SOURCES"] == "203.0.113.0/28"
    assert given["ALLOWED_READERS"] == "198.51.100.7/32"
    assert given["ALLOWED_OPERATORS"] == "198.51.100.8/32"
    assert rights(resources, "AuthorizerFunction") == OBSERVE | {
        ("logs:CreateLogStream", "AuthorizerLogs.Arn"),
        ("logs:PutLogEvents", "AuthorizerLogs.Arn"),
    }


@pytest.mark.parametrize("access", ["iam", "jwt"])
def test_without_access_network_there_is_no_authorizer_function(deploy: Deploy, access: str) -> None:
    assert not {"AuthorizerFunction", "AuthorizerRole", "AuthorizerLogs", "NetworkAuthorizer"} & set(
        deploy(Access=access)
    )


@pytest.mark.parametrize(
    ("rule", "incomplete", "missing"),
    [
        ("SourcesAreNamed", {"Access": "network"}, {"AllowedSources": "203.0.113.0/28"}),
        ("JwtIsComplete", {"Access": "jwt", "JwtAudience": "one"}, {"JwtIssuer": "https://issuer.example/"}),
        ("JwtIsComplete", {"Access": "jwt", "JwtIssuer": "https://issuer.example/"}, {"JwtAudience": "one"}),
        ("DomainIsComplete", {"DomainName": "charge.example.com"}, {"CertificateArn": "arn"}),
        ("MutualTlsHasADomain", {"TruststoreUri": "s3://a/b.pem"}, {"DomainName": "charge.example.com"}),
        ("NetworkIsComplete", {"VpcId": "vpc-0a", "SubnetIds": "subnet-0a"}, {"LinkNetworks": "10.0.0.0/8"}),
    ],
)
def test_a_deployment_without_a_required_parameter_is_rejected(
    source: dict[str, Any], rule: str, incomplete: dict[str, str], missing: dict[str, str]
) -> None:
    def holds(parameters: dict[str, str]) -> bool:
        resolver = Resolver(source, parameters)
        assert resolver.resolve(source["Rules"][rule]["RuleCondition"])
        return all(resolver.resolve(assertion["Assert"]) for assertion in source["Rules"][rule]["Assertions"])

    assert not holds(incomplete)
    assert holds(incomplete | missing)


def test_a_custom_domain_disables_the_execute_api_endpoint(deploy: Deploy) -> None:
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


def test_a_truststore_requires_client_certificates(deploy: Deploy) -> None:
    resources = deploy(
        DomainName="charge.example.com", CertificateArn="arn", TruststoreUri="s3://bucket/clients.pem"
    )
    assert resources["Domain"]["Properties"]["MutualTlsAuthentication"] == {
        "TruststoreUri": "s3://bucket/clients.pem"
    }
    assert resources["Api"]["Properties"]["DisableExecuteApiEndpoint"] is True


KEY = "arn:aws:kms:eu-west-1:000000000000:key/0a"


def test_a_customer_managed_key_encrypts_all_stored_data(deploy: Deploy) -> None:
    resources = deploy(KmsKeyArn=KEY, ServeDocs="true", **NETWORK_ACCESS)
    assert resources["AttemptsTable"]["Properties"]["SSESpecification"]["KMSMasterKeyId"] == KEY
    assert resources["JournalSecret"]["Properties"]["KmsKeyId"] == KEY
    assert {group["KmsKeyId"] for group in of_type(resources, "AWS::Logs::LogGroup").values()} == {KEY}
    functions = of_type(resources, "AWS::Lambda::Function")
    assert {function["KmsKeyArn"] for function in functions.values()} == {KEY}
    for function in functions:
        assert ("kms:Decrypt", KEY) in rights(resources, function)


def test_only_the_gateway_may_invoke_the_live_alias_of_each_route(deploy: Deploy) -> None:
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


def test_each_function_has_its_own_role_that_only_lambda_may_assume(deploy: Deploy) -> None:
    resources = deploy()
    functions = of_type(resources, "AWS::Lambda::Function")
    roles = [function["Role"].split(".")[0] for function in functions.values()]
    assert sorted([*roles, "DeploymentRole", "ScheduleRole"]) == sorted(of_type(resources, "AWS::IAM::Role"))
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
        ({}, "ResolveFunction", RESOLVE),
        (VPC, "ResolveFunction", RESOLVE | NETWORK),
        *(
            (
                {"LinkSecretArns": f"{SECRET},{SECRET}-2"},
                function,
                needed
                | {
                    ("secretsmanager:GetSecretValue", SECRET),
                    ("secretsmanager:GetSecretValue", f"{SECRET}-2"),
                },
            )
            for function, needed in (("ConnectFunction", CONNECT), ("ResolveFunction", RESOLVE))
        ),
        *(
            (
                {"LinkServers": f"ssm:/charger-connect/servers{version}"},
                function,
                needed
                | {
                    (
                        "ssm:GetParameter",
                        "arn:aws:ssm:eu-west-1:000000000000:parameter/charger-connect/servers",
                    )
                },
            )
            for version in ("", ":12")
            for function, needed in (("ConnectFunction", CONNECT), ("ResolveFunction", RESOLVE))
        ),
        ({}, "PreflightFunction", PREFLIGHT),
        (
            NETWORK_ACCESS,
            "PreflightFunction",
            PREFLIGHT | {("lambda:InvokeFunction", "AuthorizerFunction.Arn:*")},
        ),
    ],
)
def test_a_function_has_exactly_the_rights_that_it_needs(
    deploy: Deploy, parameters: dict[str, str], function: str, expected: set[tuple[str, str]]
) -> None:
    assert rights(deploy(**parameters), function) == expected


@pytest.mark.parametrize(
    ("access", "authorizer"), [({}, ()), (NETWORK_ACCESS, ("AuthorizerFunction",))], ids=["iam", "network"]
)
def test_codedeploy_may_shift_only_these_functions(
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


def test_a_resource_is_a_wildcard_only_for_actions_without_resources(deploy: Deploy) -> None:
    resources = deploy(**VPC, **NETWORK_ACCESS)
    functions = of_type(resources, "AWS::Lambda::Function")
    open_ones = {pair for name in functions for pair in rights(resources, name) if pair[1] == "*"}
    assert open_ones == OBSERVE | NETWORK


def test_no_action_is_a_wildcard(transformed: dict[str, Any], nested: dict[str, dict[str, Any]]) -> None:
    resources = [template["Resources"] for template in (transformed, *nested.values())]
    actions = re.findall(r'"([a-z0-9]+:[A-Z*][A-Za-z*]*)"', json.dumps(resources))
    assert len(actions) > 10
    assert not [action for action in actions if "*" in action]


def test_without_a_vpc_there_are_no_network_resources(deploy: Deploy) -> None:
    resources = deploy()
    assert not [name for name, resource in resources.items() if resource["Type"].startswith("AWS::EC2::")]
    assert "VpcConfig" not in resources["ConnectFunction"]["Properties"]


def test_in_a_vpc_the_functions_that_call_servers_reach_only_the_link_networks_and_tls(
    deploy: Deploy,
) -> None:
    resources = deploy(**VPC)
    for function in ("ConnectFunction", "ResolveFunction"):
        assert resources[function]["Properties"]["VpcConfig"] == {
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


def test_the_given_route_tables_get_an_endpoint_of_the_table(deploy: Deploy) -> None:
    endpoint = deploy(**VPC, RouteTableIds="rtb-0a,rtb-0b")["TableEndpoint"]["Properties"]
    assert endpoint["RouteTableIds"] == ["rtb-0a", "rtb-0b"]
    assert endpoint["ServiceName"] == "com.amazonaws.eu-west-1.dynamodb"


def test_the_help_page_is_served_only_with_serve_docs_and_has_no_rights(deploy: Deploy) -> None:
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
