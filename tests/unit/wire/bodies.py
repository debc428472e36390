"""Bodies to read: one good request, and ways to vary it."""

from __future__ import annotations

from uuid import UUID

from wire import OcppChargerConnectRequest, Problem, Refused, read_request

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
UUID_ = UUID(ID)
MODELS = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
TOKEN = "04A2B3C4D5E6F7-secret"


def read_json(text: str) -> OcppChargerConnectRequest:
    return read_request(text.encode(), "application/json")


def read_member(name: str, value: str) -> object:
    """What a member is read as, given its value as JSON text."""
    members = {"id": f'"{ID}"', name: value}
    return getattr(read_json("{" + ",".join(f'"{key}":{text}' for key, text in members.items()) + "}"), name)


def xml(members: str, *, root_attributes: str = "") -> str:
    """A request in the namespace of the contract, with an id after the members given."""
    namespaces = f'xmlns:i="{INSTANCE}" xmlns="{MODELS}"'
    return f"<OcppChargerConnectRequest {namespaces}{root_attributes}>{members}<id>{ID}</id></OcppChargerConnectRequest>"


def read_xml(text: str) -> OcppChargerConnectRequest:
    return read_request(text.encode(), "application/xml")


def read_form(text: str) -> OcppChargerConnectRequest:
    return read_request(text.encode(), "application/x-www-form-urlencoded")


def problem_of(body: bytes | str, content_type: str | None = "application/json") -> Problem:
    """The problem that reading this ends in."""
    try:
        read_request(body if isinstance(body, bytes) else body.encode(), content_type)
    except Refused as refused:
        return refused.problem
    raise AssertionError("the body was read")


def fields_of(problem: Problem) -> list[str]:
    return [error.field for error in problem.errors]
