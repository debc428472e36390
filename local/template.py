"""Read what the local stack needs from `template.yaml` and the templates that it nests: routes, functions, schedules and the table.

The intrinsic functions that this needs are resolved: Ref, Sub, GetAtt, If and the conditions, FindInMap, Join, Select, Split.
A parameter has its default unless a value is given. A reference to a resource becomes its logical id.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = Path(__file__).parent.parent / "template.yaml"

PSEUDO = {
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:000000000000:stack/local/local",
    "AWS::StackName": "local",
    "AWS::URLSuffix": "amazonaws.com",
}

_NOTHING = object()
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """`key` is `METHOD /path/{parameter}`; `function` is a logical id; `open` is true for a route without an authorizer."""

    key: str
    function: str
    open: bool


@dataclass(frozen=True, slots=True)
class Function:
    """`handler` is `package.module.name`, `timeout` in seconds, `memory` in MB."""

    handler: str
    timeout: int
    memory: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Schedule:
    """`function` is a logical id, which is invoked with `event` every so many `seconds`."""

    function: str
    seconds: int
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """`properties` are the arguments of CreateTable, without a name; `ttl` is the attribute that holds the expiry time."""

    properties: Mapping[str, Any]
    ttl: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """The template, resolved; every mapping is keyed by logical id."""

    routes: tuple[Route, ...]
    functions: Mapping[str, Function]
    tables: Mapping[str, Table]
    schedules: tuple[Schedule, ...] = ()


def read(path: Path = PATH, parameters: Mapping[str, str] | None = None) -> Template:
    """Read a template. Raises OSError, yaml.YAMLError, or KeyError for a reference to something that is not defined."""
    document = load(path)
    resolver = Resolver(document, parameters or {})
    shared = document.get("Globals", {}).get("Function", {})
    resources = {
        name: (resource["Type"], resource)
        for name, resource in document["Resources"].items()
        if resolver.holds(resource.get("Condition"))
    }
    nested = [
        resource
        for kind, resource in resources.values()
        if kind == "AWS::CloudFormation::Stack"
        for resource in _nested(path, resolver.resolve(resource["Properties"]))
    ]
    functions = {
        name: _function(resolver, shared, resource["Properties"])
        for name, (kind, resource) in resources.items()
        if kind == "AWS::Serverless::Function"
    }
    integrations = {
        name: _function_of(resolver.resolve(resource["Properties"]["IntegrationUri"]), functions)
        for name, (kind, resource) in resources.items()
        if kind == "AWS::ApiGatewayV2::Integration"
    }
    routes = [
        _route(resolver.resolve(resource["Properties"]), integrations)
        for kind, resource in resources.values()
        if kind == "AWS::ApiGatewayV2::Route"
    ]
    routes += [
        _route(resource["Properties"], integrations)
        for resource in nested
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    ]
    schedules = [
        _schedule(resource["Properties"], functions)
        for resource in nested
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]
    tables = {
        name: _table(resolver.resolve(resource["Properties"]))
        for name, (kind, resource) in resources.items()
        if kind == "AWS::DynamoDB::Table"
    }
    return Template(tuple(routes), functions, tables, tuple(schedules))


@lru_cache
def load(path: Path) -> dict[str, Any]:
    """Return a template as written, read once. Nobody may change it. Raises OSError, yaml.YAMLError."""
    document: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return document


def _nested(path: Path, properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the resources of a nested template, resolved."""
    document = load(path.parent / properties["TemplateURL"])
    resolver = Resolver(document, properties.get("Parameters", {}))
    return [
        resolver.resolve(resource)
        for resource in document["Resources"].values()
        if resolver.holds(resource.get("Condition"))
    ]


def _function(resolver: Resolver, shared: dict[str, Any], own: dict[str, Any]) -> Function:
    variables = {
        **shared.get("Environment", {}).get("Variables", {}),
        **own.get("Environment", {}).get("Variables", {}),
    }
    properties = resolver.resolve({**shared, **own})
    return Function(
        handler=properties["Handler"],
        timeout=int(properties.get("Timeout", 3)),
        memory=int(properties.get("MemorySize", 128)),
        environment={name: str(value) for name, value in resolver.resolve(variables).items()},
    )


def _function_of(uri: str, functions: Mapping[str, Function]) -> str:
    for word in re.findall(r"\w+", uri):
        for name in functions:
            if word == name or word.startswith(f"{name}Alias"):
                return name
    raise KeyError(f"no function in the integration {uri}")


def _route(properties: dict[str, Any], integrations: Mapping[str, str]) -> Route:
    integration = properties["Target"].removeprefix("integrations/")
    return Route(
        key=properties["RouteKey"],
        function=integrations[integration],
        open=properties.get("AuthorizationType", "NONE") == "NONE",
    )


def _schedule(properties: dict[str, Any], functions: Mapping[str, Function]) -> Schedule:
    found = re.fullmatch(r"rate\(([0-9]+) minutes?\)", properties["ScheduleExpression"])
    if not found:
        raise KeyError(f"no rate in minutes: {properties['ScheduleExpression']}")
    target = properties["Target"]
    return Schedule(
        _function_of(target["Arn"], functions), 60 * int(found[1]), json.loads(target.get("Input", "{}"))
    )


def _table(properties: dict[str, Any]) -> Table:
    names = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    ttl = properties.get("TimeToLiveSpecification", {}).get("AttributeName")
    return Table({name: properties[name] for name in names if name in properties}, ttl)


class Resolver:
    """Evaluate intrinsic functions; leave unknown ones unchanged."""

    def __init__(self, document: dict[str, Any], parameters: Mapping[str, str]) -> None:
        self._conditions = document.get("Conditions", {})
        self._mappings = document.get("Mappings", {})
        self._values = {
            **PSEUDO,
            **{name: entry.get("Default", "") for name, entry in document.get("Parameters", {}).items()},
            **parameters,
        }

    def holds(self, condition: str | None) -> bool:
        return condition is None or bool(self.resolve(self._conditions[condition]))

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument) = next(iter(value.items()))
            evaluate = getattr(self, "_" + name.removeprefix("Fn::").lower(), None)
            if evaluate and (name in ("Ref", "Condition") or name.startswith("Fn::")):
                return evaluate(argument)
        resolved = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not _NOTHING}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self._values:
            return self._values[name]
        # A resource: also "Function.Alias" and "FunctionAliaslive", which SAM generates.
        return name

    def _getatt(self, path: list[str]) -> str:
        return ".".join(path)

    def _sub(self, argument: str | list[Any]) -> str:
        text, names = (argument, {}) if isinstance(argument, str) else argument
        own = self.resolve(names)

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            return f"${{{name}}}" if literal else str(own[name] if name in own else self._ref(name))

        return _VARIABLE.sub(value, text)

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self.resolve(yes if self.holds(condition) else no)

    def _condition(self, name: str) -> bool:
        return self.holds(name)

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.resolve(argument)
        return str(left) == str(right)

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(argument))

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument)[0]

    def _findinmap(self, argument: list[Any]) -> Any:
        name, first, second = self.resolve(argument)[:3]
        return self._mappings[name][first][second]

    def _join(self, argument: list[Any]) -> str:
        separator, items = argument
        return str(separator).join(map(str, self.resolve(items)))

    def _select(self, argument: list[Any]) -> Any:
        index, items = self.resolve(argument)
        return items[int(index)]

    def _split(self, argument: list[Any]) -> list[str]:
        separator, text = self.resolve(argument)
        return str(text).split(separator)
