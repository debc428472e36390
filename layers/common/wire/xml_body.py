"""XML bodies, as DataContractSerializer reads and writes them. Importing this imports xmltodict.

xmltodict parses and writes; around it stand: names and nil by namespace, the first of duplicates, `<x/>` as the empty
string, the characters that XML 1.0 cannot hold, and the blank of `<info i:nil="true" />`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final
from xml.parsers.expat import ErrorString, ExpatError
from xml.sax.saxutils import escape

import xmltodict

from wire import guarded_expat
from wire.members import MEMBERS
from wire.messages import OcppStatusResponse
from wire.problems import unreadable

MODELS: Final = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models"
INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
PROBLEM: Final = "urn:ietf:rfc:7807"

_ROOT: Final = f"{MODELS} OcppChargerConnectRequest"
_ELEMENTS: Final = {name: f"{MODELS} {name}" for name in MEMBERS}
_NIL: Final = f"@{INSTANCE} nil"

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_members(text: str) -> dict[str, object]:
    """The members of the request's elements; duplicates: the first wins; absent or nil ones are None.

    Raises `Refused` (400) for what is not well formed, for another root, and for what `guarded_expat` refuses.
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
        where = f"line {error.lineno}, column {error.offset + 1}"
        raise unreadable(
            f"is no XML from {where} on ({ErrorString(error.code)}): send one well-formed document"
        ) from None
    root = document.get(_ROOT)
    if not isinstance(root, dict):
        raise unreadable(f"has another root: send OcppChargerConnectRequest in the namespace {MODELS}")
    if _is_nil(root):
        raise unreadable("is nil: send an OcppChargerConnectRequest")
    return {name: _value(root[element]) if element in root else None for name, element in _ELEMENTS.items()}


def _value(found: object) -> object:
    """An element's text; None where it is nil. One with elements inside stays a dict, which no member may be."""
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
    """The answer with its elements in the order that .NET demands, without a declaration."""
    document = _status_frame(message.info is None).format(
        chargerId=escape(message.chargerId),
        connectorId=message.connectorId,
        errorCode=escape(message.errorCode),
        id=message.id,
        info=escape(message.info or ""),
        status=escape(message.status),
    )
    return _lasting(document)


@cache
def _status_frame(without_info: bool) -> str:
    """The document with a place for each value: xmltodict writes it once, since writing it anew costs ten times as much."""
    names = ("chargerId", "connectorId", "errorCode", "id", "info", "status")
    members: dict[str, object] = {
        "@xmlns:i": INSTANCE,
        "@xmlns": MODELS,
        **{name: f"{{{name}}}" for name in names},
    }
    if without_info:
        members["info"] = {"@i:nil": "true"}
    written = xmltodict.unparse({"OcppStatusResponse": members}, full_document=False)
    return written.replace('"></info>', '" />')


def write_problem(members: dict[str, object]) -> str:
    """A problem document; a list is written as RFC 9457 writes arrays, each entry an `i`."""
    listed = {name: {"i": value} if isinstance(value, list) else value for name, value in members.items()}
    return _lasting(xmltodict.unparse({"problem": {"@xmlns": PROBLEM, **listed}}, full_document=False))


def _lasting(document: str) -> str:
    """The document without characters that would break it, or that a parser would change (CR becomes LF)."""
    return _FORBIDDEN.sub("\ufffd", document).replace("\r", "&#xD;")
