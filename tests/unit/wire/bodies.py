"""Request bodies: a valid request, and helpers that vary it."""

from __future__ import annotations

from uuid import UUID

from common.wire import OcppChargerConnectRequest, Problem, ProblemError, read_request

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
UUID_ = UUID(ID)
MODELS = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
TOKEN = "04A2B3C4D5E6F7-secret"


def read_json(text: str) -> OcppChargerConnectRequest:
    return read_request(text.encode(), "application/json")


def read_field(name: str, value: str) -> object:
    """Return the parsed value of a field whose JSON text is `value`."""
    fields = {"id": f'"{ID}"', name: value}
    return getattr(read_json("{" + ",".join(f'"{key}":{text}' for key, text in fields.items()) + "}"), name)


def xml(elements: str, *, root_attributes: str = "") -> str:
    """Return a request in the contract's namespace, with an id after `elements`."""
    namespaces = f'xmlns:i="{INSTANCE}" xmlns="{MODELS}"'
    return f"<OcppChargerConnectRequest {namespaces}{root_attributes}>{elements}<id>{ID}</id></OcppChargerConnectRequest>"


def read_xml(text: str) -> OcppChargerConnectRequest:
    return read_request(text.encode(), "application/xml")


def read_form(text: str) -> OcppChargerConnectRequest:
    return read_request(text.encode(), "application/x-www-form-urlencoded")


def problem_of(body: bytes | str, content_type: str | None = "application/json") -> Problem:
    """Return the problem that parsing this body raises."""
    try:
        read_request(body if isinstance(body, bytes) else body.encode(), content_type)
    except ProblemError as error:
        return error.problem
    raise AssertionError("the body was accepted")


def fields_of(problem: Problem) -> list[str]:
    return [error.field for error in problem.errors]
