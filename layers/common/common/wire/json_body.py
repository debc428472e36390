"""JSON bodies: read as leniently as Json.NET reads them where that is safe, written as Json.NET writes them."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import NoReturn

from common.wire.fields import FIELDS, find_field
from common.wire.messages import OcppStatusResponse
from common.wire.problems import invalid_body
from common.wire.values import Number


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(
    # An object becomes a tuple of pairs: of names that differ in letter case only, the last must win.
    # A tuple also differs from an array, which is a list.
    object_pairs_hook=tuple,
    parse_int=Number,
    parse_float=Number,
    parse_constant=_reject_constant,
    strict=False,
)


def read_fields(text: str) -> dict[str, object]:
    """Return the request's fields, whose names may be in any letter case. An absent field is None.

    The last of several values wins. Raises `ProblemError` (400) if the text is not a JSON object.
    """
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        position = f"line {error.lineno}, column {error.colno}"
        raise invalid_body(f"is not valid JSON at {position}: send one JSON object") from None
    except RecursionError:
        raise invalid_body("is nested too deeply: send one flat JSON object") from None
    except ValueError:
        raise invalid_body(
            "contains NaN or Infinity, which are not valid JSON: send null or omit the field"
        ) from None
    if document is None:
        raise invalid_body("is null: send an OcppChargerConnectRequest")
    if not isinstance(document, tuple):
        raise invalid_body("is not a JSON object: send an OcppChargerConnectRequest")
    fields: dict[str, object] = dict.fromkeys(FIELDS)
    for spelling, value in document:
        if (name := find_field(spelling)) is not None:
            fields[name] = value
    return fields


def write_status(message: OcppStatusResponse) -> str:
    """Return the response's body, in camelCase, in the order of the recorded responses, and without spaces."""
    info = "null" if message.info is None else encode_basestring(message.info)
    return (
        f'{{"id":"{message.id}","chargerId":{encode_basestring(message.chargerId)},"connectorId":{message.connectorId}'
        f',"errorCode":{encode_basestring(message.errorCode)},"status":{encode_basestring(message.status)},"info":{info}}}'
    )


def write_object(members: dict[str, object]) -> str:
    """Return any JSON object in the same style."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))
