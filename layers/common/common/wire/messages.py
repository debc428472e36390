"""The request and the response of the contract. Attribute names are the field names in JSON and XML."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from common.wire.values import read_guid, read_int32, read_text

Guid = Annotated[UUID, BeforeValidator(read_guid)]
Int32 = Annotated[int | None, BeforeValidator(read_int32)]
Text = Annotated[str | None, BeforeValidator(read_text)]


class OcppChargerConnectRequest(BaseModel):
    """A request, read as leniently as the contract allows. A subclass checks what a connection needs.

    Only `id` is required. Strings are kept as they were sent, with their blanks; the port is any int32.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    id: Guid
    chargerId: Text = None
    tokenId: Annotated[Text, Field(repr=False)] = None
    serverIpAddress: Text = None
    serverRestApiPort: Int32 = None


class OcppStatusResponse(NamedTuple):
    """The response. `id` and `chargerId` are those of the request; `connectorId` is 0 if it is not known.

    Not a pydantic model: the values come from this service, and without validation a response costs half as much.
    """

    id: UUID
    chargerId: str
    connectorId: int
    errorCode: str
    status: str
    info: str | None = None
