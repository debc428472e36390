"""JSON bodies: read as Json.NET does where that is safe, written as it does."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import NoReturn

from wire.members import MEMBERS, member_named
from wire.messages import OcppStatusResponse
from wire.problems import unreadable
from wire.values import Number


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple,  # pairs, since of duplicates in different letter case the last must win; and no list, which is an array
    parse_int=Number,
    parse_float=Number,
    parse_constant=_not_json,
    strict=False,
)


def read_members(text: str) -> dict[str, object]:
    """The members of a JSON object, in any letter case; duplicates: the last wins; absent ones are None.

    Raises `Refused` (400) for anything that is no JSON object.
    """
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise unreadable(f"is no JSON from {where} on: send one JSON object") from None
    except RecursionError:
        raise unreadable("is nested too deeply: send one flat JSON object") from None
    except ValueError:
        raise unreadable(
            "holds NaN or Infinity, which are no JSON: send null or leave the member out"
        ) from None
    if document is None:
        raise unreadable("is null: send an OcppChargerConnectRequest")
    if not isinstance(document, tuple):
        raise unreadable("is no JSON object: send an OcppChargerConnectRequest")
    members: dict[str, object] = dict.fromkeys(MEMBERS)
    for spelling, value in document:
        if (name := member_named(spelling)) is not None:
            members[name] = value
    return members


def write_status(message: OcppStatusResponse) -> str:
    """The answer, in camelCase and the recorded order, without blanks."""
    info = "null" if message.info is None else encode_basestring(message.info)
    return (
        f'{{"id":"{message.id}","chargerId":{encode_basestring(message.chargerId)},"connectorId":{message.connectorId}'
        f',"errorCode":{encode_basestring(message.errorCode)},"status":{encode_basestring(message.status)},"info":{info}}}'
    )


def write_object(members: dict[str, object]) -> str:
    """Any JSON object, in the same manner."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))
