"""Validate a connect request: the rules of the contract and those of a connection, in one pass."""

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

_MAX_CHARGER_LENGTH = 255
_MAX_TOKEN_LENGTH = 36  # OCPP 2.0.1: identifierString[36]; dialects of 1.6 check its limit of 20


def _error(message: str) -> PydanticCustomError:
    return PydanticCustomError("connection", "{message}", {"message": message})


def _charger(value: str | None) -> str:
    if value is None or not value.strip():
        raise _error("is missing: name the charger by its OCPP identity")
    if len(value) > _MAX_CHARGER_LENGTH:
        raise _error(f"must be at most {_MAX_CHARGER_LENGTH} characters long")
    if not value.isprintable():
        raise _error("must contain printable characters only")
    if value in (".", ".."):  # removed when a URL is normalised
        raise _error("must not be . or .., which a URL cannot contain")
    return value


def _token(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    if len(value) > _MAX_TOKEN_LENGTH:
        raise _error(f"must be at most {_MAX_TOKEN_LENGTH} characters long")
    if any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in value):
        raise _error("must not contain control characters")
    return value


def _address(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    try:
        addresses.parse(value)
    except ValueError:
        raise _error(
            "must be an IP address such as 10.0.0.5, without blanks; host names are not accepted"
        ) from None
    return value


def _connector(value: object) -> object:
    """Parse the query parameter."""
    if value is None:
        return None
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= LARGEST_CONNECTOR):
        raise _error("must be one whole number of at least 1, such as ?connectorId=1")
    return int(text)


def connector_of(query: Mapping[str, str]) -> str | None:
    """Return the query parameter `connectorId`, whose name may have any letter case; None if it is absent.

    API Gateway joins the values of one spelling with commas. Values of several spellings are joined the same way unless they are
    equal, so that a request that names two connectors is refused.
    """
    given = {value for name, value in query.items() if name.lower() == "connectorid"}
    return ",".join(sorted(given)) if given else None


class ConnectRequest(OcppChargerConnectRequest):
    """A valid request; whether its server is allowed is checked later.

    ``tokenId`` is None in a request for a status. ``serverIpAddress`` and ``serverRestApiPort`` are both set or both None.
    ``connectorId`` comes from the query, never from the body.
    """

    model_config = ConfigDict(defer_build=False)  # built when the function starts, not in the first request

    # Defaults are validated, too: an absent member is the same as null.
    chargerId: Annotated[Text, AfterValidator(_charger), Field(validate_default=True)] = None
    tokenId: Annotated[Text, AfterValidator(_token), Field(repr=False)] = None
    serverIpAddress: Annotated[Text, AfterValidator(_address)] = None
    serverRestApiPort: Annotated[Int32, Field(validate_default=True)] = None
    connectorId: Annotated[int | None, BeforeValidator(_connector)] = None

    @field_validator("serverRestApiPort")
    @classmethod
    def _port(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and not 1 <= value <= 65535:
            raise _error("must be a port from 1 to 65535")
        if "serverIpAddress" not in info.data:  # it has an error of its own
            return value
        if value is None and info.data["serverIpAddress"] is not None:
            raise _error("is missing: name the port of the OCPP server's REST API")
        if value is not None and info.data["serverIpAddress"] is None:
            raise _error("needs serverIpAddress: name both, or leave both out")
        return value
