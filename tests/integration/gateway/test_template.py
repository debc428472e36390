"""Reading template.yaml: what the gateway and the table take from it, and the part of CloudFormation that this needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local import template

if TYPE_CHECKING:
    from pathlib import Path

SMALL = """
Parameters:
  Mode: {Type: String, Default: plain}
  Days: {Type: Number, Default: 90}
Mappings:
  Sizes: {plain: {Memory: 128}, large: {Memory: 1024}}
Conditions:
  Large: !Equals [!Ref Mode, large]
  Small: !Not [!Condition Large]
  Either: !Or [!Condition Large, !Condition Small]
  Both: !And [!Condition Large, !Condition Small]
Globals:
  Function: {Timeout: 7, Environment: {Variables: {MODE: !Ref Mode}}}
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties:
      Handler: one.app.handler
      MemorySize: !FindInMap [Sizes, !Ref Mode, Memory]
      Environment:
        Variables:
          DAYS: !Ref Days
          NAME: !Sub ["${Prefix}-${Mode}-${!literal}", {Prefix: !Join ["/", [a, b]]}]
          GONE: !If [Large, present, !Ref AWS::NoValue]
          PICKED: !Select [1, !Split [",", "x,y"]]
          ARN: !GetAtt Table.Arn
          EITHER: !If [Either, "yes", "no"]
          BOTH: !If [Both, "yes", "no"]
  OneMore:
    Type: AWS::Serverless::Function
    Properties: {Handler: more.app.handler}
  OnlyLarge:
    Type: AWS::Serverless::Function
    Condition: Large
    Properties: {Handler: large.app.handler}
  First: {Type: AWS::ApiGatewayV2::Integration, Properties: {IntegrationUri: !Ref One.Alias}}
  Second:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      IntegrationUri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/x/functions/${OneMoreAliaslive}/invocations
  Third: {Type: AWS::ApiGatewayV2::Integration, Properties: {IntegrationUri: !GetAtt One.Arn}}
  A: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /a, Target: !Sub "integrations/${First}", AuthorizationType: AWS_IAM}}
  B: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /b, Target: !Join ["/", [integrations, !Ref Second]]}}
  C: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /c, Target: !Sub "integrations/${Third}"}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(SMALL)
    return path


def test_the_project_has_its_three_routes_behind_an_authorizer() -> None:
    read = template.read()
    assert {(route.key, route.function, route.open) for route in read.routes} >= {
        ("ANY /api/v1/ocpp/charger-connect", "ConnectFunction", False),
        ("GET /api/v1/ocpp/charger-connect/{id}", "AttemptsFunction", False),
        ("GET /api/v1/ocpp/chargers/{chargerId}/attempts", "AttemptsFunction", False),
    }


def test_the_routes_and_the_schedule_of_nested_templates_lead_to_their_functions() -> None:
    read = template.read()
    assert {(route.key, route.function, route.open) for route in read.routes} >= {
        ("DELETE /api/v1/ocpp/charger-connect/{id}", "ConnectFunction", False),
        ("GET /api/v1/ocpp/attempts", "AttemptsFunction", False),
        ("PUT /api/v1/ocpp/charger-connect/{id}/resolution", "AttemptsFunction", False),
    }
    assert read.schedules == (template.Schedule("ResolveFunction", 60, {"sweep": True}),)


def test_the_project_names_its_handlers_limits_and_defaults() -> None:
    connect = template.read().functions["ConnectFunction"]
    assert (connect.handler, connect.timeout, connect.memory) == ("charger_connect.app.handler", 29, 512)
    assert connect.environment["LINK_TIMEOUT"] == "20"
    assert connect.environment["RETENTION_DAYS"] == "90"


def test_intrinsic_functions_are_resolved_with_the_defaults(small: Path) -> None:
    one = template.read(small).functions["One"]
    assert (one.timeout, one.memory) == (7, 128)
    assert one.environment == {
        "MODE": "plain",
        "DAYS": "90",
        "NAME": "a/b-plain-${literal}",
        "PICKED": "y",
        "ARN": "Table.Arn",
        "EITHER": "yes",
        "BOTH": "no",
    }


def test_a_given_parameter_replaces_its_default_and_turns_conditions(small: Path) -> None:
    read = template.read(small, {"Mode": "large"})
    assert set(read.functions) == {"One", "OneMore", "OnlyLarge"}
    assert read.functions["One"].memory == 1024
    assert read.functions["One"].environment["GONE"] == "present"


def test_a_resource_whose_condition_fails_is_not_there(small: Path) -> None:
    assert set(template.read(small).functions) == {"One", "OneMore"}


def test_an_integration_leads_to_its_function_in_every_spelling(small: Path) -> None:
    routes = {route.key: (route.function, route.open) for route in template.read(small).routes}
    assert routes == {"GET /a": ("One", False), "GET /b": ("OneMore", True), "GET /c": ("One", True)}
