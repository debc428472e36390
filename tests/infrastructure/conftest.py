"""The templates after SAM's transform, and the resources of a deployment with given parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scripts.deployed import deployed_resources
from scripts.transform import load, load_nested, transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Resource = dict[str, Any]
    Deploy = Callable[..., dict[str, Resource]]


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """Return template.yaml as written. Tests copy it before they change it."""
    return load()


@pytest.fixture(scope="session")
def nested(source: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the nested templates as written, by the logical id of their stack. Tests copy them before they change them."""
    return load_nested(source)


@pytest.fixture(scope="session")
def transformed(source: dict[str, Any]) -> dict[str, Any]:
    """Return template.yaml after the transform. Tests copy it before they change it."""
    return transform(source)


@pytest.fixture(scope="session")
def deploy(source: dict[str, Any]) -> Deploy:
    """`deploy(LinkTimeout="5")` returns the resources of such a deployment, over all templates."""

    def resources(**parameters: str) -> dict[str, Resource]:
        return deployed_resources(source, parameters)

    return resources


def of_type(resources: Mapping[str, Resource], kind: str) -> dict[str, Resource]:
    """Return the properties of the resources of one type, by logical id."""
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def rights(resources: Mapping[str, Resource], function: str) -> set[tuple[str, str]]:
    """Return the rights of a function, as pairs of action and resource, over every policy of its role."""
    role = resources[resources[function]["Properties"]["Role"].split(".")[0]]["Properties"]
    managed = [resources[name]["Properties"] for name in role.get("ManagedPolicyArns", [])]
    return statements(role, *managed)


def statements(*holders: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the rights that roles or policies grant, as pairs of action and resource."""
    documents = [
        policy["PolicyDocument"] for holder in holders for policy in holder.get("Policies", [holder])
    ]
    found = [statement for document in documents for statement in document["Statement"]]
    assert all(statement["Effect"] == "Allow" for statement in found)
    return {
        (action, resource)
        for statement in found
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


def many(value: str | list[str]) -> Iterable[str]:
    """Return one string or a list of them as a list."""
    return [value] if isinstance(value, str) else value
