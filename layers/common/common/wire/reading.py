"""Parse a request's body according to its Content-Type. Every failure is a `ProblemError` that lists all violations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar, overload

from pydantic import ValidationError

from common.wire import form_body, json_body
from common.wire.media import FORM, MediaType, parse_content_type
from common.wire.messages import OcppChargerConnectRequest
from common.wire.problems import FieldError, ProblemError, invalid_body, invalid_request, make_problem

MAX_BODY_BYTES: Final = 64 * 1024

Fields = Mapping[str, object]
Request = TypeVar("Request", bound=OcppChargerConnectRequest)


@overload
def read_request(body: bytes, content_type: str | None) -> OcppChargerConnectRequest: ...
@overload
def read_request(body: bytes, content_type: str | None, model: type[Request], **extra: object) -> Request: ...
def read_request(
    body: bytes,
    content_type: str | None,
    model: type[OcppChargerConnectRequest] = OcppChargerConnectRequest,
    **extra: object,
) -> OcppChargerConnectRequest:
    """Parse a request's body and validate its fields.

    Parameters
    ----------
    content_type
        The value of the Content-Type header.
    model
        A stricter model of the request: its violations are reported together with those of the contract.
    extra
        Fields of that model that do not come from the body.

    Raises
    ------
    ProblemError
        400 for a missing, malformed or invalid body; 413 for more than 64 KiB; 415 for an unsupported media type.
    """
    if not body:
        raise invalid_body("is missing: send an OcppChargerConnectRequest")
    if len(body) > MAX_BODY_BYTES:
        raise ProblemError(
            make_problem(
                "body-too-large", f"Send at most {MAX_BODY_BYTES} bytes; the five fields need far less."
            )
        )
    media, charset = parse_content_type(content_type)
    read_fields = _READERS.get(media or "")
    if read_fields is None:
        detail = f"Send the body with one of these Content-Types: {', '.join(_READERS)}."
        raise ProblemError(make_problem("unsupported-media-type", detail))
    return _validate({**read_fields(_decode(body, charset)), **extra}, model)


def _read_xml(text: str) -> Fields:
    from common.wire.xml_body import (
        read_fields,  # imported here: a process without XML requests does not need it
    )

    return read_fields(text)


_READERS: Final[Mapping[str, Callable[[str], Fields]]] = {
    MediaType.JSON: json_body.read_fields,
    MediaType.TEXT_JSON: json_body.read_fields,
    MediaType.XML: _read_xml,
    MediaType.TEXT_XML: _read_xml,
    FORM: form_body.read_fields,
}


def _decode(body: bytes, charset: str | None) -> str:
    """Decode UTF-16 if the charset is one of its names, else UTF-8. A BOM decides the byte order.

    Without a BOM, `utf-16` is little-endian, as .NET writes it.
    """
    encoding = "utf-8"
    if charset in ("utf-16", "utf-16le", "utf-16be"):
        big_endian = body.startswith(b"\xfe\xff") or (
            charset == "utf-16be" and not body.startswith(b"\xff\xfe")
        )
        encoding = "utf-16-be" if big_endian else "utf-16-le"
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise invalid_body(
            f"is not valid {encoding}: send it in UTF-8, or name its charset in Content-Type"
        ) from None


def _validate(fields: Fields, model: type[Request]) -> Request:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        violations = error.errors(include_url=False, include_context=False, include_input=False)
    raise invalid_request(
        *(FieldError(str(one["loc"][0]) if one["loc"] else "body", one["msg"]) for one in violations)
    )
