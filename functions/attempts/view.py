"""The JSON object of an attempt, as the API returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charger_link.dialects import registry
from common.journal import State
from common.remote_start import remote_start_id

if TYPE_CHECKING:
    from common.journal import Attempt

_ANSWER_MEMBERS = ("connectorId", "errorCode", "status", "info")


def to_json(attempt: Attempt, now: float) -> dict[str, Any]:
    """Return an attempt without the attributes that protect it (fingerprint, owner, lease, attemptKey, digest).

    `now` is in seconds since the epoch.
    """
    state = attempt.known_state(now)
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "state": state,
        "outcome": attempt.answer["outcome"] if attempt.answer else None,
        "answer": _answer(attempt),
        # A callback may have stored a problem that the running invocation has not settled yet.
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
        "transaction": attempt.transaction,
        "otherTransactions": [
            {"id": id_, **times} for id_, times in sorted((attempt.otherTransactions or {}).items())
        ],
        "lookedAt": attempt.lookedAt,
        "nothingFoundUntil": attempt.nothingFoundUntil,
        "resolution": attempt.resolution,
        "stop": attempt.stop,
    }


def _answer(attempt: Attempt) -> dict[str, Any] | None:
    if not attempt.answer:
        return None
    members = {name: attempt.answer[name] for name in _ANSWER_MEMBERS}
    return {"id": attempt.id, "chargerId": attempt.chargerId, **members}


def _remote_start_id(attempt: Attempt) -> int | None:
    """Return the number that an OCPP 2.0.1 charger receives with the start; None if this dialect does not send ours."""
    dialect = registry.find(attempt.dialect) if attempt.token is not None else None
    return remote_start_id(attempt.id) if dialect and dialect.carries_remote_start_id else None
