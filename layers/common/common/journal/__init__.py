"""The journal: one DynamoDB item per request id, both the record of the attempt and its idempotency key."""

from common.journal import callbacks
from common.journal.attempt import Attempt, State, fingerprint, masked
from common.journal.dynamodb import ConditionFailed, DynamoDB, JournalUnavailable
from common.journal.journal import (
    Claim,
    Claimed,
    Journal,
    KnownServers,
    Mismatch,
    Opening,
    Page,
    Pending,
    Replay,
    Settlement,
    Unknown,
)

__all__ = [
    "Attempt",
    "Claim",
    "Claimed",
    "ConditionFailed",
    "DynamoDB",
    "Journal",
    "JournalUnavailable",
    "KnownServers",
    "Mismatch",
    "Opening",
    "Page",
    "Pending",
    "Replay",
    "Settlement",
    "State",
    "Unknown",
    "callbacks",
    "fingerprint",
    "masked",
]
