"""What a native server's records say of a start, and its stop: docs/native-link.openapi.yaml.

Both requests name our id, so that what they return is certain. A server that was built before them returns 404
`no-such-resource` or 405.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from charger_link import masking, ocpp
from charger_link.answer import Answer, Outcome
from charger_link.dialects import native, readings
from charger_link.dialects.timestamps import parse_optional, parse_timestamp
from charger_link.errors import LinkError, OutcomeUnknown, ServerBusy, ServerFailed
from charger_link.records import Found, Stop
from common.remote_start.transaction import Transaction

if TYPE_CHECKING:
    from charger_link.command import Command
    from charger_link.exchange import Exchange, ServerReply

_STATES = frozenset({"not-sent", "sent", "answered", "started", "stopped"})
_STOP_STATUSES = ("Accepted", "Rejected", "Unavailable")


class _Record(NamedTuple):
    cancelled: bool
    answer: Answer | None
    transactions: tuple[Transaction, ...]


def find(command: Command, _since: float, _until: float, exchange: Exchange) -> Found:
    reply = exchange.send("GET", native.connection_path(command))
    if _is_unsupported(reply):
        return Found(supported=False)
    if _is_id_unknown(reply):  # no PUT of this id has arrived; it still may
        return Found(exact=True)
    record = _read_record(command, _body(reply))
    return Found(record.transactions, exact=True, answer=record.answer)


def stop(command: Command, _transaction: Transaction | None, exchange: Exchange) -> Stop | None:
    reply = exchange.send("DELETE", native.connection_path(command), wait=True)
    if _is_unsupported(reply):
        return None
    if _is_id_unknown(reply):  # the server must record the stop of an id that it does not know
        raise readings.misunderstood(f"http-{reply.status}")
    body = _body(reply)
    record = _read_record(command, body)
    match body.get("stop"):
        case {"status": str(status), "info": str() | None as info} if status in _STOP_STATUSES:
            return Stop(
                status,  # type: ignore[arg-type]
                masking.without_text(info),
                record.cancelled,
                record.answer,
                record.transactions,
            )
    raise readings.misunderstood("status")


def _is_unsupported(reply: ServerReply) -> bool:
    return native.is_problem(reply, 404, "no-such-resource") or native.is_problem(reply, 405, "")


def _is_id_unknown(reply: ServerReply) -> bool:
    return native.is_problem(reply, 404, "connection-unknown")


def _read_record(command: Command, body: Any) -> _Record:
    match body:
        case {
            "id": str(id_),
            "chargerId": command.charger_id,
            "state": state,
            "cancelled": bool(cancelled),
            "result": result,
            "transactions": [*listed],
        } if id_.lower() == command.id.lower() and state in _STATES:
            transactions = tuple(_read_transaction(command, one) for one in listed)
            return _Record(cancelled, _read_answer(command, result, transactions), transactions)
    raise readings.misunderstood("shape")


def _read_answer(command: Command, result: Any, transactions: tuple[Transaction, ...]) -> Answer | None:
    """Return the charger's recorded answer; None if the record has none, or if the transactions contradict it."""
    if result is None:
        return None
    answer = native.read_result(command, result)
    if answer.outcome is Outcome.OFFLINE or (transactions and answer.outcome is Outcome.REJECTED):
        return None
    # The token is not known here and cannot be masked.
    return answer._replace(info=masking.without_text(answer.info))


def _read_transaction(command: Command, listed: Any) -> Transaction:
    match listed:
        case {"id": str(id_), "connectorId": connector, "startedAt": started, "stoppedAt": stopped}:
            if id_ and ocpp.is_connector(connector):
                try:
                    times = parse_timestamp(started), parse_optional(stopped)
                except ValueError:
                    raise readings.misunderstood("types") from None
                return Transaction(id_, command.charger_id, None, connector, *times)
    raise readings.misunderstood("types")


def _body(reply: ServerReply) -> Any:
    if reply.status != 200:
        raise _error(reply)
    return reply.json


def _error(reply: ServerReply) -> LinkError:
    if reply.kind != native.PROBLEM:
        return readings.misunderstood(f"http-{reply.status}")
    match reply.status:
        case 404:
            return readings.charger_unknown()
        case 429 | 503:
            detail = "The OCPP server cannot take the request now; nothing was sent to the charger."
            return ServerBusy("busy", detail, retry_after=native.read_retry_after(reply))
        case 403:
            return readings.credentials_insufficient()
        case 504:
            return readings.silent()
        case code if 400 <= code < 500:
            return ServerFailed(f"http-{code}", "The OCPP server declined the request.")
        case code:
            return OutcomeUnknown(f"http-{code}", "The OCPP server failed.")
