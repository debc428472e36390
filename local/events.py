"""The events of the template's pipe, for the local stack: the same filters and the same input template, without AWS.

Only what `templates/events.yaml` uses is implemented. Filters: exact values, `anything-but` and nothing else, as in
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html. Input template: as AWS documents it, a value
is not escaped, text gets quotes unless it has them, and a value that is missing does not appear:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local import template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Item = Mapping[str, Any]

PATH = template.PATH.parent / "templates" / "events.yaml"

_PLACE = re.compile(r'(?P<quote>"?)<\$\.(?P<path>[\w.-]+)>(?P=quote)')
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Pipe:
    """What becomes an event, and what the event contains. A record needs to match one of the `patterns` only."""

    patterns: Sequence[Mapping[str, Any]]
    input_template: str
    source: str
    detail_type: str

    def event(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the event of a stream record; None if no pattern matches.

        Raises ValueError if the input template makes no JSON of it.
        """
        if not any(matches(pattern, record) for pattern in self.patterns):
            return None
        detail = json.loads(render(self.input_template, record))
        return {"source": self.source, "detail-type": self.detail_type, "detail": detail}


def read() -> Pipe:
    """Read the pipe from its template. Raises OSError, yaml.YAMLError, KeyError."""
    (properties,) = [
        resource["Properties"]
        for resource in template.load(PATH)["Resources"].values()
        if resource["Type"] == "AWS::Pipes::Pipe"
    ]
    target = properties["TargetParameters"]
    bus = target["EventBridgeEventBusParameters"]
    filters = properties["SourceParameters"]["FilterCriteria"]["Filters"]
    return Pipe(
        [json.loads(entry["Pattern"]) for entry in filters],
        target["InputTemplate"],
        bus["Source"],
        bus["DetailType"],
    )


def make_record(old: Item | None, new: Item) -> dict[str, Any]:
    """Return the record that a stream with NEW_AND_OLD_IMAGES has for a write. `old` is None for a new item."""
    images: dict[str, Any] = {"Keys": {"id": new["id"]}, "NewImage": new}
    if old is not None:
        images["OldImage"] = old
    return {"eventName": "MODIFY" if old is not None else "INSERT", "dynamodb": images}


def matches(pattern: Mapping[str, Any], value: Any) -> bool:
    """Return whether `value` has each member of the pattern. A member that is missing matches nothing."""
    if not isinstance(value, dict):
        return False
    return all(
        name in value
        and (
            any(_accepts(one, value[name]) for one in wanted)
            if isinstance(wanted, list)
            else matches(wanted, value[name])
        )
        for name, wanted in pattern.items()
    )


def render(input_template: str, record: Mapping[str, Any], missing: str = "") -> str:
    """Return the text that the pipe makes of a record. `missing` stands outside of quotes for a value that is missing."""

    def text(place: re.Match[str]) -> str:
        quote = place["quote"]
        value = _find(record, place["path"].split("."))
        if value is _MISSING:
            return '""' if quote else missing
        if isinstance(value, str):
            return f'"{value}"'
        if quote:  # within text, the quotes of an object are removed
            return '"' + json.dumps(value, ensure_ascii=False).replace('"', "") + '"'
        return json.dumps(value, ensure_ascii=False)

    return _PLACE.sub(text, input_template)


def _accepts(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        ((operator, argument),) = wanted.items()
        if operator != "anything-but":
            raise ValueError(f"not implemented: {operator}")
        return value not in (argument if isinstance(argument, list) else [argument])
    return bool(value == wanted)


def _find(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value
