"""The journal: one DynamoDB item per request id, which is both the record of the attempt and its idempotency key."""

from common.journal import callbacks
from common.journal.attempt import Attempt, State, fingerprint, mask
from common.journal.claim import Claim, Claimed, Mismatch, Opening, Pending, Replay, Unknown
from common.journal.digest import token_digest
from common.journal.dynamodb import ConditionFailed, DynamoDB, JournalUnavailable
from common.journal.history import KnownServers, Page
from common.journal.journal import Journal
from common.journal.settlement import Settlement

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
    "mask",
    "token_digest",
]
