"""XML bodies, read and written as DataContractSerializer does. Importing this module imports xmltodict.

xmltodict parses and writes. This module adds names and nil by namespace, the rule that the first of duplicates wins,
`<x/>` as the empty string, the replacement of characters that XML 1.0 forbids, and the blank in
`<info i:nil="true" />`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final
from xml.parsers.expat import ErrorString, ExpatError
from xml.sax.saxutils import escape

import xmltodict

from common.wire import guarded_expat
from common.wire.fields import FIELDS
from common.wire.messages import OcppStatusResponse
from common.wire.problems import invalid_body

MODELS: Final = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models"
INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
PROBLEM: Final = "urn:ietf:rfc:7807"

_ROOT: Final = f"{MODELS} OcppChargerConnectRequest"
_ELEMENTS: Final = {name: f"{MODELS} {name}" for name in FIELDS}
_NIL: Final = f"@{INSTANCE} nil"

_INVALID_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_fields(text: str) -> dict[str, object]:
    """Return the request's fields. The first of several elements wins; an absent or nil one is None.

    Raises `ProblemError` (400) for malformed XML, another root, and anything that `guarded_expat` rejects.
    """
    try:
        document = xmltodict.parse(
            text,
            expat=guarded_expat,
            process_namespaces=True,
            namespace_separator=" ",
            strip_whitespace=False,
        )
    except ExpatError as error:
        position = f"line {error.lineno}, column {error.offset + 1}"
        raise invalid_body(
            f"is not well-formed XML at {position} ({ErrorString(error.code)}): send one XML document"
        ) from None
    root = document.get(_ROOT)
    if not isinstance(root, dict):
        raise invalid_body(f"has the wrong root: send OcppChargerConnectRequest in the namespace {MODELS}")
    if _is_nil(root):
        raise invalid_body("is nil: send an OcppChargerConnectRequest")
    return {name: _value(root[element]) if element in root else None for name, element in _ELEMENTS.items()}


def _value(found: object) -> object:
    """Return an element's text, or None if it is nil.

    An element with elements inside stays a dict, which no field accepts.
    """
    first = found[0] if isinstance(found, list) else found
    if first is None:
        return ""
    if not isinstance(first, dict):
        return first
    if _is_nil(first):
        return None
    has_elements = any(not key.startswith(("@", "#")) for key in first)
    return first if has_elements else first.get("#text", "")


def _is_nil(element: dict[str, Any]) -> bool:
    return element.get(_NIL, "").strip() in ("true", "1")


def write_status(message: OcppStatusResponse) -> str:
    """Return the response's body, with the elements in the order that .NET requires, without a declaration."""
    document = _status_template(message.info is None).format(
        chargerId=escape(message.chargerId),
        connectorId=message.connectorId,
        errorCode=escape(message.errorCode),
        id=message.id,
        info=escape(message.info or ""),
        status=escape(message.status),
    )
    return _replace_invalid_characters(document)


@cache
def _status_template(without_info: bool) -> str:
    """Return a format string with a placeholder for each value. Calling xmltodict each time costs ten times as much."""
    names = ("chargerId", "connectorId", "errorCode", "id", "info", "status")
    elements: dict[str, object] = {
        "@xmlns:i": INSTANCE,
        "@xmlns": MODELS,
        **{name: f"{{{name}}}" for name in names},
    }
    if without_info:
        elements["info"] = {"@i:nil": "true"}
    template = xmltodict.unparse({"OcppStatusResponse": elements}, full_document=False)
    return template.replace('"></info>', '" />')


def write_problem(members: dict[str, object]) -> str:
    """Return a problem document. Each entry of a list is an element `i`, as in RFC 9457."""
    elements = {name: {"i": value} if isinstance(value, list) else value for name, value in members.items()}
    document = xmltodict.unparse({"problem": {"@xmlns": PROBLEM, **elements}}, full_document=False)
    return _replace_invalid_characters(document)


def _replace_invalid_characters(document: str) -> str:
    """Replace the characters that XML 1.0 forbids, and escape CR, which a parser would change to LF."""
    return _INVALID_CHARACTER.sub("\ufffd", document).replace("\r", "&#xD;")
