"""The shift of traffic to a new version, and the differences of dev and prod."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from charger_link import LinkServers
from tests.infrastructure.conftest import of_type
from tests.infrastructure.test_access import NETWORK_ACCESS
from tests.infrastructure.test_template import SHIFTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.infrastructure.conftest import Deploy

ROOT = Path(__file__).parents[2]
# The functions whose traffic shifts, for each kind of access.
ACCESS = pytest.mark.parametrize(
    ("access", "shifted"),
    [({}, SHIFTED), (NETWORK_ACCESS, {*SHIFTED, "AuthorizerFunction"})],
    ids=["iam", "network"],
)


def parameters(environment: str) -> dict[str, str]:
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    return dict(pair.split("=", 1) for pair in configured["parameter_overrides"])


def test_dev_and_prod_differ_where_they_should() -> None:
    dev, prod = parameters("dev"), parameters("prod")
    assert {name for name in prod if dev[name] != prod[name]} >= {
        "RetentionDays",
        "LogRetentionDays",
        "TableDeletionPolicy",
        "TableDeletionProtection",
        "Deployment",
        "LogLevel",
    }
    assert (prod["TableDeletionPolicy"], prod["TableDeletionProtection"]) == ("Retain", "true")
    assert prod["Deployment"].startswith("Canary")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_sets_existing_parameters_to_allowed_values(
    source: dict[str, Any], environment: str
) -> None:
    for name, value in parameters(environment).items():
        parameter = source["Parameters"][name]
        assert value in [str(one) for one in parameter.get("AllowedValues", [value])]
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value)


def test_sam_reads_the_complete_link_servers_of_the_example() -> None:
    (example,) = re.findall(r'^# +(""".*"""),$', (ROOT / "samconfig.toml").read_text(), re.MULTILINE)
    override = tomllib.loads(f"override = {example}")["override"]
    program = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Overrides;"
        "print(json.dumps(Overrides().convert([sys.argv[1]], None, None)))"
    )
    command = [str(ROOT / ".venv-sam/bin/python"), "-c", program, override]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    server = LinkServers.parse(json.loads(printed)["LinkServers"]).find("10.20.0.5", 8080)
    assert server.entry.dialect == "steve"


@ACCESS
@pytest.mark.parametrize(
    "how", ["AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent15Minutes", "Linear10PercentEvery1Minute"]
)
def test_traffic_shifts_as_configured_and_back_if_an_alarm_goes_off(
    deploy: Deploy, how: str, access: dict[str, str], shifted: set[str]
) -> None:
    groups = of_type(deploy(Deployment=how, **access), "AWS::CodeDeploy::DeploymentGroup")
    assert set(groups) == {f"{name}DeploymentGroup" for name in shifted}
    for group in groups.values():
        assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{how}"
        assert group["ServiceRoleArn"] == "DeploymentRole.Arn"
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["AlarmConfiguration"]["Enabled"] is True


@ACCESS
def test_the_alarms_of_a_deployment_watch_only_the_new_version(
    deploy: Deploy, access: dict[str, str], shifted: set[str]
) -> None:
    resources = deploy(**access)
    watched = set()
    for name, group in of_type(resources, "AWS::CodeDeploy::DeploymentGroup").items():
        function = name.removesuffix("DeploymentGroup")
        version = resources[f"{function}Aliaslive"]["Properties"]["FunctionVersion"]
        assert version.startswith(f"{function}Version")
        for alarm in (entry["Name"] for entry in group["AlarmConfiguration"]["Alarms"]):
            properties = resources[alarm]["Properties"]
            metrics = [entry["MetricStat"]["Metric"] for entry in properties.get("Metrics", [])[1:]]
            for metric in metrics or [properties]:
                dimensions = {entry["Name"]: entry["Value"] for entry in metric["Dimensions"]}
                assert dimensions.get("version", dimensions.get("ExecutedVersion")) == version
                if (
                    metric["Namespace"] == "ChargerConnect"
                ):  # versions of another function have the same numbers
                    assert dimensions["function"] == function
                if metric["Namespace"] == "AWS/Lambda":
                    assert dimensions["FunctionName"] == function
                    assert dimensions["Resource"] == f"{function}:live"
                watched.add((function, metric["MetricName"]))
    assert watched == {(name, metric) for name in shifted for metric in ("Errors", "Failures")} | {
        ("ConnectFunction", "Invocations"),
    }


def references(node: Any, names: Iterable[str]) -> set[str]:
    """Return the resources among `names` to which a part of a template refers."""
    text = json.dumps(node)
    return {name for name in names if re.search(rf'"{name}"|\$\{{{name}[.}}]', text)}


def test_the_alarms_of_a_new_version_exist_before_its_traffic_shifts(
    transformed: dict[str, Any], nested: dict[str, dict[str, Any]]
) -> None:
    """CloudFormation updates a resource after every resource to which it refers."""
    resources = transformed["Resources"]
    for function in (*SHIFTED, "AuthorizerFunction"):
        alias, group = f"{function}Aliaslive", f"{function}DeploymentGroup"
        shift = resources[alias]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert shift["DeploymentGroupName"] == {"Ref": group}
        alarms = [entry["Name"] for entry in resources[group]["Properties"]["AlarmConfiguration"]["Alarms"]]
        assert alarms
        for alarm in alarms:
            stack, output = alarm["Fn::GetAtt"][0], alarm["Fn::GetAtt"][1].removeprefix("Outputs.")
            assert resources[stack]["Type"] == "AWS::CloudFormation::Stack"
            name = nested[stack]["Outputs"][output]["Value"]["Ref"]
            assert nested[stack]["Resources"][name]["Type"] == "AWS::CloudWatch::Alarm"
            # The stack receives the new version, so it is updated after the version is published and before the shift.
            (version,) = references(resources[alias]["Properties"]["FunctionVersion"], resources)
            assert version in references(resources[stack]["Properties"]["Parameters"], resources)


def test_resources_have_no_circular_dependency(transformed: dict[str, Any]) -> None:
    """A nested stack must not depend on a resource that depends on the stack."""
    resources = transformed["Resources"]
    waits = {name: references(resource, resources) - {name} for name, resource in resources.items()}
    order = list(TopologicalSorter(waits).static_order())
    assert set(order) == set(resources)


@pytest.mark.parametrize("name", ["Roles", "Rollout", "Monitoring", "Routes", "Schedule", "Events"])
def test_a_nested_stack_receives_each_of_its_parameters(
    source: dict[str, Any], nested: dict[str, dict[str, Any]], name: str
) -> None:
    given = source["Resources"][name]["Properties"]["Parameters"]
    assert set(given) == set(nested[name]["Parameters"])


def test_each_template_has_fewer_than_1000_lines() -> None:
    templates = [ROOT / "template.yaml", *(ROOT / "templates").glob("*.yaml")]
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in templates}
    assert {name: count for name, count in lines.items() if count >= 1000} == {}


def test_the_name_of_the_dashboard_contains_the_region(deploy: Deploy) -> None:
    """Dashboards are global in an account."""
    assert deploy()["Dashboard"]["Properties"]["DashboardName"] == "local-eu-west-1"


@ACCESS
def test_the_check_runs_before_traffic_shifts(
    deploy: Deploy, access: dict[str, str], shifted: set[str]
) -> None:
    resources = deploy(**access)
    for function in shifted:
        policy = resources[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert policy["BeforeAllowTrafficHook"] == "PreflightFunction"
    hook = resources["PreflightFunction"]["Properties"]
    assert hook["FunctionName"].startswith("CodeDeployHook_")
    checked = hook["Environment"]["Variables"]["VERSIONS"].split(",")
    assert set(checked) == {
        resources[f"{name}Aliaslive"]["Properties"]["FunctionVersion"].removesuffix(".Version")
        for name in (*shifted, "ResolveFunction")
    }


@ACCESS
def test_alarms_watch_errors_and_throttles_of_every_function(
    deploy: Deploy, access: dict[str, str], shifted: set[str]
) -> None:
    resources = deploy(**access)
    for alarm in ("FunctionErrorsAlarm", "FunctionThrottlesAlarm"):
        total, *metrics = resources[alarm]["Properties"]["Metrics"]
        assert total["Expression"] == " + ".join(f"FILL({metric['Id']}, 0)" for metric in metrics)
        named = [metric["MetricStat"]["Metric"] for metric in metrics]
        watched = {
            metric["Dimensions"][0]["Value"] for metric in named if metric["Namespace"] == "AWS/Lambda"
        }
        assert watched == {*shifted, "ResolveFunction"}
        # Lambda does not count an exception that the guard turned into a response.
        ours = {metric["MetricName"] for metric in named if metric["Namespace"] == "ChargerConnect"}
        assert ours == ({"Crashes"} if alarm == "FunctionErrorsAlarm" else set())
    groups = resources["CrashesQuery"]["Properties"]["LogGroupNames"]
    assert set(groups) == {
        name.replace("Function", "Logs") for name in (*shifted, "ResolveFunction", "PreflightFunction")
    }


def test_every_alarm_notifies_the_topic_if_there_is_one(deploy: Deploy) -> None:
    topic = "arn:aws:sns:eu-west-1:000000000000:night"
    for alarm in of_type(deploy(AlarmTopicArn=topic, EventBus="default"), "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
    for alarm in of_type(deploy(EventBus="default"), "AWS::CloudWatch::Alarm").values():
        assert "AlarmActions" not in alarm


def test_missing_data_breaches_only_where_the_sweep_reports_each_minute(deploy: Deploy) -> None:
    alarms = of_type(deploy(EventBus="default"), "AWS::CloudWatch::Alarm")
    gauges = {"UnknownsGrowingAlarm", "OldestLookedForAlarm", "ExpiredPendingAlarm"}
    assert {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"} == gauges
    assert {alarm["TreatMissingData"] for alarm in alarms.values()} == {"breaching", "notBreaching"}
    for name in gauges:  # the newest data may be late
        assert alarms[name]["DatapointsToAlarm"] < alarms[name]["EvaluationPeriods"] - 1


def test_the_concurrency_alarm_uses_the_reserved_concurrency(deploy: Deploy) -> None:
    def watched(**given: str) -> tuple[str, str, list[str]]:
        share, running = deploy(**given)["ConcurrencyAlarm"]["Properties"]["Metrics"]
        metric = running["MetricStat"]["Metric"]
        functions = [entry["Value"] for entry in metric.get("Dimensions", [])]
        return share["Expression"], metric["MetricName"], functions

    everybody = ("ClaimedAccountConcurrency", list[str]())
    assert watched() == ("100 * running / 1000", *everybody)
    assert watched(ConcurrencyLimit="5000") == ("100 * running / 5000", *everybody)
    assert watched(ConcurrencyLimit="5000", ReservedConcurrency="50") == (
        "100 * running / 50",
        "ConcurrentExecutions",
        ["ConnectFunction"],
    )


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_make_deploy_deploys_the_artefact_with_the_configuration_of_samconfig(environment: str) -> None:
    command = ["make", "--dry-run", "--always-make", "deploy", f"ENVIRONMENT={environment}"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (deploy,) = [line for line in printed.splitlines() if "sam deploy" in line]
    assert f"--config-env {environment} --config-file {ROOT}/samconfig.toml" in deploy, (
        "SAM looks for it beside the template, where it is not"
    )
    assert deploy.endswith("--template-file .aws-sam/build/template.yaml")
