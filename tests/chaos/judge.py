"""What must be true after the storm, judged from three sides: what callers heard, the table, the charge points' file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.journal import Attempt, State

if TYPE_CHECKING:
    from tests.chaos.clients import Order
    from tests.chaos.harness import Stage

_ACCEPTED = 200, 404, 409, 502, 504
"""Statuses that only an attempt which stands in the table can have, but for a 502 and 503 of the gateway's own."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``doubles`` and ``lost`` name the attempts and what is wrong with each; ``unknown`` why each is."""

    starts: int
    doubles: list[str]
    lost: list[str]
    unknown: list[str]
    states: Counter[str]


def judge(orders: list[Order], stage: Stage) -> Verdict:
    received = Counter(start["token"] for start in stage.starts())
    attempts = {attempt.id: attempt for attempt in map(Attempt.of, stage.table.items())}
    doubles = [
        f"{order.id} at {order.charger}: {received[order.token]} starts"
        for order in orders
        if received[order.token] > 1
    ]
    lost, unknown, states = [], [], Counter[str]()
    for order in orders:
        attempt, starts = attempts.get(order.id), received[order.token]
        if attempt is None:
            if starts or any(
                (status in _ACCEPTED and "type" in body) or status == 200 for status, body in order.heard
            ):
                lost.append(f"{order.id}: no attempt, {starts} starts")
            continue
        states[attempt.state] += 1
        wrong = _contradiction(order, attempt, starts)
        if wrong:
            lost.append(f"{order.id} at {order.charger}: {wrong}")
        if attempt.state in (State.UNKNOWN, State.PENDING):
            unknown.append(_why(order, attempt, starts, stage))
    return Verdict(sum(received.values()), doubles, lost, unknown, states)


def _contradiction(order: Order, attempt: Attempt, starts: int) -> str | None:
    outcome = (attempt.answer or {}).get("outcome")
    if attempt.state is State.FAILED and starts:
        return f"failed, and {starts} starts were received"
    if outcome == "accepted" and not starts:
        return "accepted, and no charge point received it"
    if order.done and (
        attempt.state is not State.COMPLETED or order.told != {attempt.answer and attempt.answer["status"]}
    ):
        return f"callers heard {sorted(order.told)}, the attempt says {attempt.state} {attempt.answer}"
    return None


def _why(order: Order, attempt: Attempt, starts: int, stage: Stage) -> str:
    behaviour = stage.chargers[order.charger].behaviour
    kind = (attempt.problem or {}).get("detail", "its invocation died before it settled")
    seen = "the charge point received it once" if starts else "no charge point received it"
    record = f"the OCPP server's record says {stage.record(order.id)}"
    return f"{order.id} at {order.charger} ({behaviour.reaction}, OCPP {behaviour.version}): {record}, {seen}. {kind}"
