"""The two messages of the contract. Attribute names are the names on the wire."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from wire.values import read_guid, read_int32, read_text

Guid = Annotated[UUID, BeforeValidator(read_guid)]
Int32 = Annotated[int | None, BeforeValidator(read_int32)]
Text = Annotated[str | None, BeforeValidator(read_text)]


class OcppChargerConnectRequest(BaseModel):
    """What a caller sent, read as leniently as the contract says; what a connection needs is judged later.

    `id` alone is required. Strings are kept as sent, blanks included; the port is any int32.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    id: Guid
    chargerId: Text = None
    tokenId: Annotated[Text, Field(repr=False)] = None
    serverIpAddress: Text = None
    serverRestApiPort: Int32 = None


class OcppStatusResponse(NamedTuple):
    """What the caller hears. `id` and `chargerId` echo the request; `connectorId` is 0 where it is not known.

    The values come from our own code, so nothing is validated again: that halves the cost of writing one.
    """

    id: UUID
    chargerId: str
    connectorId: int
    errorCode: str
    status: str
    info: str | None = None
