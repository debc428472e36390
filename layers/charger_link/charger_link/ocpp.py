"""The words of OCPP 1.6 and 2.0.1 that an answer may hold, and how they are read in every dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from charger_link.command import Answer, Outcome
from common.remote_start import remote_start_id

if TYPE_CHECKING:
    from charger_link.command import Command

# After a start: the charger took it, and perhaps a later message says what it does.
TAKEN = frozenset({"Accepted", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Occupied"})
# A charger's own: StatusNotification of 1.6 and of 2.0.1.
STATUSES = frozenset(
    {
        "Available",
        "Preparing",
        "Charging",
        "SuspendedEVSE",
        "SuspendedEV",
        "Finishing",
        "Reserved",
        "Unavailable",
        "Faulted",
        "Occupied",
    }
)
ERROR_CODES = frozenset(  # ChargePointErrorCode of 1.6
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "NoError",
        "OtherError",
        "OverCurrentFailure",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "OverVoltage",
        "WeakSignal",
    }
)
# A CALLERROR that says that the charger will not: both spellings of 1.6 and 2.0.1.
REFUSALS = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "SecurityError",
        "FormationViolation",
        "FormatViolation",
        "ProtocolError",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
    }
)
# How an answer's info begins: a closed list, for programs.
INFO_WORDS = frozenset(
    {
        "charger-refused",
        "connector-busy",
        "not-connected",
        "not-supported",
        "token-refused",
        "token-too-long",
        "unknown-or-not-connected",
    }
)
# reasonCode of OCPP 2.0.1, appendix 5; a charger may use others.
REASON_CODES = frozenset(
    {
        "CSNotAccepted",
        "DuplicateProfile",
        "DuplicateRequestId",
        "FixedCable",
        "FwUpdateInProgress",
        "InternalError",
        "InvalidCertificate",
        "InvalidCSR",
        "InvalidIdToken",
        "InvalidMessageSeq",
        "InvalidProfile",
        "InvalidSchedule",
        "InvalidStackLevel",
        "InvalidURL",
        "InvalidValue",
        "MissingDevModelInfo",
        "MissingParam",
        "NoCable",
        "NoError",
        "NotEnabled",
        "NotFound",
        "OutOfMemory",
        "OutOfStorage",
        "ReadOnly",
        "TooLargeElement",
        "TooManyElements",
        "TxInProgress",
        "TxNotFound",
        "TxStarted",
        "UnknownConnectorId",
        "UnknownConnectorType",
        "UnknownEvse",
        "UnknownTxId",
        "UnspecifiedReason",
        "UnsupportedParam",
        "UnsupportedRateUnit",
        "UnsupportedRequest",
        "ValueOutOfRange",
        "ValuePositiveOnly",
        "WriteOnly",
    }
)
LONGEST_TOKEN_16 = 20
LONGEST_INFO = 50
LARGEST_CONNECTOR = 0x7FFFFFFF  # an answer's is an int32: a .NET client cannot read anything else


def is_connector(number: object) -> TypeGuard[int]:
    """Whether it can stand in an answer; 0 is the whole station."""
    return type(number) is int and 0 <= number <= LARGEST_CONNECTOR


def info(word: str, text: str = "") -> str:
    """A word of the closed list and free text after it, as long as it is: the token is masked in it before it is cut."""
    return f"{word} {text}".strip()


def cut(text: str) -> str:
    """The info of an answer: at most 50 characters, each one that UTF-8 can write."""
    return text[:LONGEST_INFO].encode(errors="replace").decode()


def rejected(word: str, connector: int | None, text: str = "") -> Answer:
    return Answer(Outcome.REJECTED, "Rejected", connector or 0, info=info(word, text))


def rejected_early(word: str, connector: int | None, text: str = "") -> Answer:
    """Return a rejection from before the charger was asked: nothing was sent."""
    return rejected(word, connector, text)._replace(early=True)


def offline(word: str, connector: int | None = None) -> Answer:
    """No connection to the charger; nothing was sent."""
    return Answer(Outcome.OFFLINE, "Unavailable", connector or 0, info=info(word))


def start_16(command: Command) -> dict[str, Any]:
    """The payload of OCPP 1.6's RemoteStartTransaction."""
    payload: dict[str, Any] = {"idTag": command.token}
    return payload if command.connector is None else payload | {"connectorId": command.connector}


def start_201(command: Command) -> dict[str, Any]:
    """The payload of OCPP 2.0.1's RequestStartTransaction."""
    payload = {
        "idToken": {"idToken": command.token, "type": "Central"},
        "remoteStartId": remote_start_id(command.id),
    }
    return payload if command.connector is None else payload | {"evseId": command.connector}
