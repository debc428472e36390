"""The closed lists of words that an answer may hold, from OCPP 1.6 and 2.0.1 and of our own."""

from __future__ import annotations

from enum import StrEnum


class InfoWord(StrEnum):
    """The first word of an answer's ``info``, for programs: a closed list."""

    TOKEN_REFUSED = "token-refused"  # noqa: S105
    TOKEN_TOO_LONG = "token-too-long"  # noqa: S105
    CONNECTOR_BUSY = "connector-busy"
    CHARGER_REFUSED = "charger-refused"
    NOT_CONNECTED = "not-connected"
    UNKNOWN_OR_NOT_CONNECTED = "unknown-or-not-connected"
    NOT_SUPPORTED = "not-supported"
    NOTHING_STARTED = "nothing-started"
    ALREADY_STOPPED = "already-stopped"
    STOP_RECORDED = "stop-recorded"
    CONFIRMED_BY_OPERATOR = "confirmed-by-operator"


# The status of a start that the charger accepted; all but Accepted come from a status that follows the acceptance.
TAKEN = frozenset({"Accepted", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Occupied"})
# The status of a connector: StatusNotification of OCPP 1.6 and 2.0.1.
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
ERROR_CODES = frozenset(  # ChargePointErrorCode of OCPP 1.6
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
# Codes of a CALLERROR with which a charger rejects the request: both spellings of OCPP 1.6 and 2.0.1.
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
