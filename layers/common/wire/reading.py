"""From bytes and a media type to the request: every way to fail is a `Refused`, and names every violation at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar, overload

from pydantic import ValidationError

from wire import form_body, json_body
from wire.media import FORM, MediaType, content_type
from wire.messages import OcppChargerConnectRequest
from wire.problems import FieldError, Refused, invalid, problem, unreadable

MAX_BODY_BYTES: Final = 64 * 1024

Members = Mapping[str, object]
Request = TypeVar("Request", bound=OcppChargerConnectRequest)


@overload
def read_request(body: bytes, content_type_header: str | None) -> OcppChargerConnectRequest: ...
@overload
def read_request(
    body: bytes, content_type_header: str | None, model: type[Request], **beside: object
) -> Request: ...
def read_request(
    body: bytes,
    content_type_header: str | None,
    model: type[OcppChargerConnectRequest] = OcppChargerConnectRequest,
    **beside: object,
) -> OcppChargerConnectRequest:
    """The request that a body and its Content-Type say.

    Parameters
    ----------
    model
        A stricter model of the same message: its violations are reported together with those of the contract.
    beside
        Members of that model which do not come from the body.

    Raises
    ------
    Refused
        400 for a body that is missing, unreadable or wrong; 413 over 64 KiB; 415 for another media type.
    """
    if not body:
        raise unreadable("is missing: send an OcppChargerConnectRequest")
    if len(body) > MAX_BODY_BYTES:
        raise Refused(
            problem("body-too-large", f"Send at most {MAX_BODY_BYTES} bytes; five members need far less.")
        )
    media, charset = content_type(content_type_header)
    read = _READERS.get(media or "")
    if read is None:
        raise Refused(
            problem("unsupported-media-type", f"Send the body with a Content-Type of {', '.join(_READERS)}.")
        )
    return _validated({**read(_decoded(body, charset)), **beside}, model)


def _read_xml(text: str) -> Members:
    from wire.xml_body import read_members  # only here, so that who never sends XML never pays for its import

    return read_members(text)


_READERS: Final[Mapping[str, Callable[[str], Members]]] = {
    MediaType.JSON: json_body.read_members,
    MediaType.TEXT_JSON: json_body.read_members,
    MediaType.XML: _read_xml,
    MediaType.TEXT_XML: _read_xml,
    FORM: form_body.read_members,
}


def _decoded(body: bytes, charset: str | None) -> str:
    """UTF-16 where the charset says so (little-endian unless a BOM says otherwise, as .NET writes it), else UTF-8."""
    encoding = "utf-8"
    if charset in ("utf-16", "utf-16le", "utf-16be"):
        big_endian = body.startswith(b"\xfe\xff") or (
            charset == "utf-16be" and not body.startswith(b"\xff\xfe")
        )
        encoding = "utf-16-be" if big_endian else "utf-16-le"
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise unreadable(f"is not text in {encoding}: send it in UTF-8, or name its charset") from None


def _validated(members: Members, model: type[Request]) -> Request:
    try:
        return model.model_validate(members)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    raise invalid(*(FieldError(str(one["loc"][0]) if one["loc"] else "body", one["msg"]) for one in found))
