"""What the template's pipe makes of the records of the table's stream, and what docs/events.md says of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from samtranslator.yaml_helper import yaml_parse

from charger_link import Outcome
from common.journal import State
from local import events
from scripts.transform import load
from tests.infrastructure.conftest import of_type

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
PIPE = events.read()

TOKEN = "04A2B3C4D5E6F7"
# Every attribute that an attempt always has, and some that no event may contain.
ITEM: dict[str, Any] = {
    "id": {"S": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
    "chargerId": {"S": "CP-1"},
    "state": {"S": "completed"},
    "createdAt": {"S": "2026-01-01T12:00:00.000000Z"},
    "updatedAt": {"S": "2026-01-01T12:00:35.250000Z"},
    "token": {"S": f"****{TOKEN[-4:]}"},
    "caller": {"S": "arn:aws:iam::000000000000:role/back-office"},
    "fingerprint": {"B": "c2VjcmV0LWZpbmdlcnByaW50"},
    "digest": {"B": "c2VjcmV0LWRpZ2VzdA=="},
    "owner": {"S": "secret-owner"},
    "attemptKey": {"S": "secret-key"},
    "tries": {"N": "1"},
}
ANSWER = {
    "M": {
        "outcome": {"S": "accepted"},
        "status": {"S": "Accepted"},
        "connectorId": {"N": "1"},
        "errorCode": {"S": "NoError"},
        "info": {"NULL": True},
    }
}
RUNNING = {
    "M": {"id": {"S": "42"}, "startedAt": {"S": "2026-01-01T12:00:05.000000Z"}, "stoppedAt": {"NULL": True}}
}
ENDED = {"M": {**RUNNING["M"], "stoppedAt": {"S": "2026-01-01T13:00:00.000000Z"}}}
OPTIONAL = [
    {},
    {"answer": ANSWER},
    {"transaction": RUNNING},
    {"answer": ANSWER, "transaction": RUNNING},
    {"answer": ANSWER, "transaction": ENDED},
    {"answer": ANSWER, "transaction": {"NULL": True}},
    {"answer": ANSWER, "transaction": {"M": {"id": {"S": "42"}}}},
]
NASTY = [
    'CP"1',
    "CP\\1",
    'CP\\"1',
    'x", "state": "completed", "y": "',
    "<$.dynamodb.NewImage.token.S>",
    "充電 é",
    "{}[]",
]


def record(old: str | None, new: str, **members: Any) -> dict[str, Any]:
    before = None if old is None else {**ITEM, "state": {"S": old}}
    return events.make_record(before, {**ITEM, "state": {"S": new}, **members})


def event_of(old: str | None, new: str, **members: Any) -> dict[str, Any]:
    event = PIPE.event(record(old, new, **members))
    assert event is not None
    return event


@pytest.mark.parametrize("optional", OPTIONAL, ids=lambda members: "+".join(members) or "none")
@pytest.mark.parametrize(
    ("old", "new"),
    [("pending", "completed"), ("pending", "failed"), ("pending", "unknown"), ("unknown", "pending")],
)
def test_an_event_fits_the_schema_whichever_optional_attributes_the_item_has(
    old: str, new: str, optional: dict[str, Any]
) -> None:
    event = event_of(old, new, **optional)
    VALIDATOR.validate(event)
    detail = event["detail"]
    assert (detail["previousState"], detail["state"]) == (old, new)
    assert (detail["outcome"], detail["status"]) == (
        ("accepted", "Accepted") if "answer" in optional else ("", "")
    )
    known = optional.get("transaction", {}).get("M")
    assert detail["transaction"] == ([known] if known else [])


@pytest.mark.parametrize("missing", ["", "null", '""'])
@pytest.mark.parametrize("optional", OPTIONAL, ids=lambda members: "+".join(members) or "none")
def test_an_event_is_valid_json_whatever_stands_for_a_missing_value(
    missing: str, optional: dict[str, Any]
) -> None:
    assert json.loads(events.render(PIPE.input_template, record("pending", "failed", **optional), missing))


@pytest.mark.parametrize("text", NASTY)
def test_text_of_a_caller_or_a_server_forges_no_member(text: str) -> None:
    transaction = {"M": {"id": {"S": text}, "startedAt": {"NULL": True}, "stoppedAt": {"NULL": True}}}
    detail = event_of("pending", "unknown", chargerId={"S": text}, transaction=transaction)["detail"]
    plain = event_of("pending", "unknown")["detail"]
    assert detail["chargerId"] == {"S": text}
    assert detail["transaction"][0]["id"] == {"S": text}
    unchanged = plain.keys() - {"chargerId", "transaction"}
    assert {name: detail[name] for name in unchanged} == {name: plain[name] for name in unchanged}


def test_text_in_quotes_would_forge_members() -> None:
    """The renderer does not escape, as AWS documents: the tests above would find a value in quotes."""
    unsafe = PIPE.input_template.replace(
        "<$.dynamodb.NewImage.chargerId>", '"<$.dynamodb.NewImage.chargerId.S>"'
    )
    assert unsafe != PIPE.input_template
    forged = record("pending", "unknown", chargerId={"S": 'x", "state": "completed", "y": "'})
    assert "y" in json.loads(events.render(unsafe, forged))
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(events.render(unsafe, record("pending", "unknown", chargerId={"S": 'CP"1'})))


def test_an_event_contains_neither_the_token_nor_what_protects_the_attempt() -> None:
    text = json.dumps(event_of("pending", "completed", answer=ANSWER, transaction=ENDED))
    for name in ("token", "caller", "fingerprint", "digest", "owner", "attemptKey"):
        ((_, value),) = ITEM[name].items()
        assert name not in text
        assert value not in text


STATES = [str(state) for state in State]
PUBLISHED = {
    *((old, new) for old in STATES for new in ("completed", "failed", "unknown") if old != new),
    ("unknown", "pending"),
}


@pytest.mark.parametrize("new", STATES)
@pytest.mark.parametrize("old", [None, *STATES])
def test_exactly_the_documented_changes_are_published(old: str | None, new: str) -> None:
    assert (PIPE.event(record(old, new)) is not None) == ((old, new) in PUBLISHED)


def test_an_item_that_is_no_attempt_and_a_deletion_have_no_event() -> None:
    taken = {"id": {"S": "transaction http://127.0.0.1 42"}, "takenBy": {"S": "one"}}
    assert PIPE.event(events.make_record(None, taken)) is None
    assert PIPE.event(events.make_record(taken, {**taken, "expiresAt": {"N": "1"}})) is None
    deletion = {"eventName": "REMOVE", "dynamodb": {"Keys": {"id": ITEM["id"]}, "OldImage": ITEM}}
    assert PIPE.event(deletion) is None


def test_the_schema_has_every_state_and_outcome() -> None:
    properties = SCHEMA["properties"]["detail"]["properties"]
    assert set(properties["state"]["enum"]) == set(properties["previousState"]["enum"]) == set(STATES)
    assert set(properties["outcome"]["enum"]) >= {"", *map(str, Outcome)}


def test_the_example_of_the_page_is_an_event() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    event = json.loads(example)
    VALIDATOR.validate(event)
    assert event == event_of(
        "unknown",
        "completed",
        answer=ANSWER,
        transaction=RUNNING,
        updatedAt={"S": event["detail"]["updatedAt"]},
    )


def test_the_rule_of_the_page_matches_the_example() -> None:
    (rule,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    pattern = yaml_parse(rule)["FoundRule"]["Properties"]["EventPattern"]
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert events.matches(pattern, json.loads(example))
    assert not events.matches(pattern, event_of("pending", "completed", answer=ANSWER))


def test_the_page_names_the_limits_of_the_template() -> None:
    (pipe,) = of_type(load(events.PATH)["Resources"], "AWS::Pipes::Pipe").values()
    source = pipe["SourceParameters"]["DynamoDBStreamParameters"]
    assert f"tried {source['MaximumRetryAttempts']} times" in PAGE
    assert source["MaximumRecordAgeInSeconds"] == 6 * 3600
    assert "within six hours" in PAGE
