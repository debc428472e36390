"""What a connection needs of a request, judged in one pass with what the contract needs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from charger_link import addresses
from charger_link.limits import LARGEST_CONNECTOR
from common.wire import OcppChargerConnectRequest
from common.wire.messages import Int32, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_CHARGER = 255
_LONGEST_TOKEN = 36  # OCPP 2.0.1: identifierString[36]; 1.6 has 20, which the dialects judge


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("connection", "{message}", {"message": message})


def _charger(value: str | None) -> str:
    if value is None or not value.strip():
        raise _wrong("is missing: name the charger by its OCPP identity")
    if len(value) > _LONGEST_CHARGER:
        raise _wrong(f"must be at most {_LONGEST_CHARGER} characters long")
    if not value.isprintable():
        raise _wrong("must hold printable characters only")
    if value in (".", ".."):  # an URL would lose it
        raise _wrong("must be more than dots: no OCPP server can be asked for it")
    return value


def _token(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    if len(value) > _LONGEST_TOKEN:
        raise _wrong(f"must be at most {_LONGEST_TOKEN} characters long")
    if any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in value):
        raise _wrong("must hold no control characters")
    return value


def _address(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    try:
        addresses.parse(value)
    except ValueError:
        raise _wrong(
            "must be an IP address such as 10.0.0.5, without blanks; host names are not taken"
        ) from None
    return value


def _connector(value: object) -> object:
    """The query parameter, a text."""
    if value is None:
        return None
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= LARGEST_CONNECTOR):
        raise _wrong("must be one whole number from 1 up, such as ?connectorId=1")
    return int(text)


def connector_of(query: Mapping[str, str]) -> str | None:
    """Return the query parameter `connectorId`, whose name is read in any letter case; None where it is absent.

    API Gateway joins the values of one spelling with commas. Values of several spellings are joined the same way unless they are
    equal, so that a request that names two connectors is refused.
    """
    given = {value for name, value in query.items() if name.lower() == "connectorid"}
    return ",".join(sorted(given)) if given else None


class ConnectRequest(OcppChargerConnectRequest):
    """A request that can be carried out, if its server is allowed.

    ``tokenId`` is None where nothing is to be started; ``serverIpAddress`` and ``serverRestApiPort`` are both given or
    both None; ``connectorId`` comes from the query, never from the body.
    """

    model_config = ConfigDict(defer_build=False)  # built while the function starts

    # A default is judged too: what is absent and what is null are the same.
    chargerId: Annotated[Text, AfterValidator(_charger), Field(validate_default=True)] = None
    tokenId: Annotated[Text, AfterValidator(_token), Field(repr=False)] = None
    serverIpAddress: Annotated[Text, AfterValidator(_address)] = None
    serverRestApiPort: Annotated[Int32, Field(validate_default=True)] = None
    connectorId: Annotated[int | None, BeforeValidator(_connector)] = None

    @field_validator("serverRestApiPort")
    @classmethod
    def _port(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and not 1 <= value <= 65535:
            raise _wrong("must be a port from 1 to 65535")
        if "serverIpAddress" not in info.data:  # wrong in itself, and reported so
            return value
        if value is None and info.data["serverIpAddress"] is not None:
            raise _wrong("is missing: name the port of the OCPP server's REST API")
        if value is not None and info.data["serverIpAddress"] is None:
            raise _wrong("stands alone: name serverIpAddress with it, or leave both out")
        return value
