"""The template after SAM's transform, and what becomes of it under given parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.template import Resolver
from scripts.transform import extend, load, transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Resource = dict[str, Any]
    Deploy = Callable[..., dict[str, Resource]]


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """The template as written. Not to be changed."""
    return load()


@pytest.fixture(scope="session")
def transformed(source: dict[str, Any]) -> dict[str, Any]:
    """The template after the transform, its defaults standing. Not to be changed."""
    return transform(source)


@pytest.fixture(scope="session")
def deploy(source: dict[str, Any]) -> Deploy:
    """`deploy(LinkTimeout="5")`: the resources that such a deployment has, by logical id, their functions resolved."""

    def resources(**parameters: str) -> dict[str, Resource]:
        document = transform(extend(source, parameters))
        resolver = Resolver(document, parameters)
        return {
            name: resolver.resolve(resource)
            for name, resource in document["Resources"].items()
            if resolver.holds(resource.get("Condition"))
        }

    return resources


def of_type(resources: Mapping[str, Resource], kind: str) -> dict[str, Resource]:
    """The properties of the resources of one type, by logical id."""
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def rights(resources: Mapping[str, Resource], function: str) -> set[tuple[str, str]]:
    """What a function may do: pairs of action and resource, over every policy of its role."""
    role = resources[resources[function]["Properties"]["Role"].split(".")[0]]["Properties"]
    managed = [resources[name]["Properties"] for name in role.get("ManagedPolicyArns", [])]
    return statements(role, *managed)


def statements(*holders: dict[str, Any]) -> set[tuple[str, str]]:
    """What the policies of roles, or policies themselves, allow: pairs of action and resource."""
    documents = [
        policy["PolicyDocument"] for holder in holders for policy in holder.get("Policies", [holder])
    ]
    found = [statement for document in documents for statement in document["Statement"]]
    assert all(statement["Effect"] == "Allow" for statement in found)
    return {
        (action, resource)
        for statement in found
        for action in _many(statement["Action"])
        for resource in _many(statement["Resource"])
    }


def _many(value: str | list[str]) -> Iterable[str]:
    return [value] if isinstance(value, str) else value
