"""The log lines and metrics of stops. No line contains a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from charger_connect import metrics, observe
from charger_link.words import InfoWord
from common.wire import OcppStatusResponse

if TYPE_CHECKING:
    from charger_link import LinkError
    from common.edge.replies import Reply
    from common.journal import Attempt
    from common.wire import Problem

_log = Logger(utc=True, json_deserializer=str)
_WORDS = (InfoWord.NOTHING_STARTED, InfoWord.ALREADY_STOPPED, InfoWord.STOP_RECORDED)


def stopped(attempt: Attempt, reply: Reply) -> None:
    """Log and count the answer to a stop."""
    message = reply.message
    assert isinstance(message, OcppStatusResponse)
    _log.info("stopped", extra={**_about(attempt), "status": message.status, "info": message.info})
    is_ours = message.status == "Accepted" and message.info in _WORDS
    metrics.count("Stops", outcome=str(message.info) if is_ours else message.status.lower())


def refused(problem: Problem) -> None:
    """Log and count a stop without an answer."""
    name = problem.type.rpartition("/")[2]
    _log.info("not stopped", extra={"problem": problem.type, "instance": problem.instance})
    metrics.count("Stops", outcome=name)


def failed(attempt: Attempt, error: LinkError) -> None:
    """Log and count a failed request to the server's records, or a failed stop."""
    _log.warning("stop failed", extra={**_about(attempt), "kind": error.kind})
    observe.link_failed(attempt, error)


def unrecorded(attempt: Attempt | None, reason: str) -> None:
    """Log and count that the attempt could not be read or changed, so no stop was sent."""
    _log.error("journal failed", extra={"step": "stop", "id": attempt and attempt.id, "reason": reason})
    metrics.count("JournalFailures")


def _about(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "chargerId": attempt.chargerId,
        "server": attempt.server,
        "dialect": attempt.dialect,
        "traceId": attempt.traceId,
    }
