"""The limits that several modules of the link share."""

from __future__ import annotations

LONGEST_TOKEN_16 = 20  # characters: idTag of OCPP 1.6 is a CiString20Type
LONGEST_INFO = 50  # characters
LARGEST_CONNECTOR = (
    0x7FFFFFFF  # the answer's connectorId is an int32, and a .NET client cannot read a larger number
)
LIST_LIMIT = 1024 * 1024  # bytes of a response that lists all chargers: some thousands of them
