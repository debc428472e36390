"""The resources that a deployment has, over template.yaml and the templates that it nests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.template import Resolver
from scripts.transform import extend, load_nested, transform

if TYPE_CHECKING:
    from collections.abc import Mapping

    Resource = dict[str, Any]


def deployed_resources(
    template: dict[str, Any], parameters: Mapping[str, str] | None = None
) -> dict[str, Resource]:
    """Return the resources by logical id, their intrinsic functions resolved.

    A reference to a resource becomes its logical id, also across nested stacks.
    Raises ValueError if two templates use the same logical id.
    """
    given = dict(parameters or {})
    document = transform(extend(template, given))
    resources = _resolved(document, Resolver(document, given))
    outputs: dict[str, Any] = {}
    for stack, nested in load_nested(template).items():
        if stack not in resources:  # its condition does not hold
            continue
        resolver = Resolver(nested, resources[stack]["Properties"]["Parameters"])
        inner = _resolved(nested, resolver)
        if repeated := resources.keys() & inner.keys():
            raise ValueError(f"logical ids in two templates: {sorted(repeated)}")
        resources |= inner
        for name, output in nested.get("Outputs", {}).items():
            if resolver.holds(output.get("Condition")):
                outputs[f"{stack}.Outputs.{name}"] = resolver.resolve(output["Value"])
    replaced: dict[str, Resource] = _replace(resources, outputs)
    return replaced


def _resolved(document: dict[str, Any], resolver: Resolver) -> dict[str, Resource]:
    return {
        name: resolver.resolve(resource)
        for name, resource in document["Resources"].items()
        if resolver.holds(resource.get("Condition"))
    }


def _replace(node: Any, values: Mapping[str, Any]) -> Any:
    """Replace each string that is a key of `values`."""
    if isinstance(node, list):
        return [_replace(item, values) for item in node]
    if isinstance(node, dict):
        return {name: _replace(item, values) for name, item in node.items()}
    return values.get(node, node) if isinstance(node, str) else node
