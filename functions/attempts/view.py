"""How an attempt is shown, and the marks between pages."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from charger_link.dialects import registry
from common.journal import State
from common.remote_start import remote_start_id
from common.wire.values import read_guid

if TYPE_CHECKING:
    from common.journal import Attempt
    from common.journal.attempt import Item

_LONGEST_MARK = 128
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_TOLD = ("connectorId", "errorCode", "status", "info")


def shown(attempt: Attempt, now: float) -> dict[str, Any]:
    """An attempt for its readers: everything but what guards it (fingerprint, owner, lease, attemptKey); `now` in seconds since the epoch."""
    answer = attempt.answer
    state = attempt.known_state(now)
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "state": state,
        "outcome": answer["outcome"] if answer else None,
        "answer": {"id": attempt.id, "chargerId": attempt.chargerId, **{name: answer[name] for name in _TOLD}}
        if answer
        else None,
        # A callback may have noted one that the invocation at work has not settled yet.
        "problem": None if state is State.PENDING else attempt.problem,
        "server": attempt.server,
        "dialect": attempt.dialect,
        "connectorId": attempt.connectorId,
        "token": attempt.token,
        "tries": attempt.tries,
        "milliseconds": attempt.milliseconds,
        "createdAt": attempt.createdAt,
        "updatedAt": attempt.updatedAt,
        "caller": attempt.caller,
        "traceId": attempt.traceId,
        "remoteStartId": _remote_start_id(attempt),
    }


def _remote_start_id(attempt: Attempt) -> int | None:
    """The number that a charger of OCPP 2.0.1 receives with the attempt's start; None where it never receives ours."""
    if attempt.token is None:
        return None
    dialect = registry.find(attempt.dialect)
    return remote_start_id(attempt.id) if dialect and dialect.carries_remote_start_id else None


def mark(key: Item | None) -> str | None:
    """Where the next page begins, for the caller to send back as it is."""
    if key is None:
        return None
    return (
        urlsafe_b64encode(json.dumps([key["id"]["S"], key["createdAt"]["S"]]).encode()).decode().rstrip("=")
    )


def unmark(text: str, charger_id: str) -> Item:
    """The index key of a mark, within this charger's attempts only.

    Raises
    ------
    ValueError
        It is no mark of ours.
    """
    document = (
        json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))) if len(text) <= _LONGEST_MARK else None
    )
    if not isinstance(document, list):
        raise ValueError(text)
    id_, created = document
    if not (isinstance(created, str) and _TIMESTAMP.fullmatch(created)):
        raise ValueError(text)
    return {"id": {"S": str(read_guid(id_))}, "chargerId": {"S": charger_id}, "createdAt": {"S": created}}
