"""Judge a storm by the callers' responses, the table, and the records of the charge points and the OCPP server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from common.journal import State

if TYPE_CHECKING:
    from common.journal import Attempt
    from local.chargers import Behaviour
    from tests.chaos.clients import Order

_STATUSES_OF_RECORDED_ATTEMPTS = 200, 404, 409, 502, 504
"""The service returns these statuses only for an attempt that is in the table. The gateway's own 502 has no `type`."""


class Evidence(NamedTuple):
    """What is known at the end.

    `starts` counts the starts that charge points received, by token. `charges` are those that began, by token, and `recorded`
    those in the OCPP server's records: the charger and the transaction's id. `attempts` are by id, `behaviours` by charger.
    """

    starts: Counter[str]
    charges: dict[str, set[tuple[str, str]]]
    recorded: set[tuple[str, str]]
    attempts: dict[str, Attempt]
    behaviours: dict[str, Behaviour]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`doubles` and `lost` describe each wrong attempt. `unknown` gives the reason for each unknown outcome.

    `missed` are the unknown ones whose charge began and is in the OCPP server's records. None has a rival: each has its own token.
    """

    starts: int
    doubles: list[str]
    lost: list[str]
    unknown: list[str]
    missed: list[str]
    states: Counter[str]


def judge(orders: list[Order], evidence: Evidence) -> Verdict:
    received = evidence.starts
    doubles = [
        f"{order.id} at {order.charger}: {received[order.token]} starts"
        for order in orders
        if received[order.token] > 1
    ]
    lost, unknown, missed, states = [], [], [], Counter[str]()
    for order in orders:
        attempt, starts = evidence.attempts.get(order.id), received[order.token]
        own = evidence.charges.get(order.token, set())
        if attempt is None:
            if starts or any(
                (status in _STATUSES_OF_RECORDED_ATTEMPTS and "type" in body) or status == 200
                for status, body in order.responses
            ):
                lost.append(f"{order.id}: no attempt, {starts} starts")
            continue
        states[attempt.state] += 1
        contradiction = _find_contradiction(order, attempt, starts, own)
        if contradiction:
            lost.append(f"{order.id} at {order.charger}: {contradiction}")
        if attempt.state in (State.UNKNOWN, State.PENDING):
            is_recorded = bool(own & evidence.recorded)
            behaviour = evidence.behaviours[order.charger]
            unknown.append(_explain_unknown(attempt, behaviour, starts, is_recorded=is_recorded))
            missed += unknown[-1:] if is_recorded else []
    return Verdict(sum(received.values()), doubles, lost, unknown, missed, states)


def _find_contradiction(order: Order, attempt: Attempt, starts: int, own: set[tuple[str, str]]) -> str | None:
    outcome = (attempt.answer or {}).get("outcome")
    if attempt.state is State.FAILED and starts:
        return f"the attempt is failed, but {starts} starts were received"
    if outcome == "accepted" and not starts:
        return "the attempt is accepted, but no charge point received a start"
    if foreign := [id_ for id_ in attempt.transactions if (attempt.chargerId, id_) not in own]:
        return f"the attempt has transactions that are not its own: {foreign}"
    if order.is_answered and (
        attempt.state is not State.COMPLETED or order.answers != {attempt.answer and attempt.answer["status"]}
    ):
        return f"the callers received {sorted(order.answers)}, but the attempt is {attempt.state} with {attempt.answer}"
    return None


def _explain_unknown(attempt: Attempt, behaviour: Behaviour, starts: int, *, is_recorded: bool) -> str:
    cause = (attempt.problem or {}).get(
        "detail", "the invocation was terminated before it recorded the outcome"
    )
    charger = f"{attempt.chargerId} ({behaviour.reaction}, OCPP {behaviour.version})"
    received = "the charge point received a start" if starts else "no charge point received a start"
    record = f"the OCPP server's records show {'its' if is_recorded else 'no'} charge"
    return f"{attempt.id} at {charger}: {received}, {record}. {cause}"
