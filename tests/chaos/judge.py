"""Check the result of a storm by three sources: the callers' responses, the table, and the charge points' file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.journal import Attempt, State

if TYPE_CHECKING:
    from tests.chaos.clients import Order
    from tests.chaos.harness import Harness

_STATUSES_OF_RECORDED_ATTEMPTS = 200, 404, 409, 502, 504
"""The service returns these statuses only for an attempt that is in the table. The gateway's own 502 has no `type`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`doubles` and `lost` describe each wrong attempt. `unknown` gives the reason for each unknown outcome."""

    starts: int
    doubles: list[str]
    lost: list[str]
    unknown: list[str]
    states: Counter[str]


def judge(orders: list[Order], harness: Harness) -> Verdict:
    received = Counter(start["token"] for start in harness.read_starts())
    attempts = {attempt.id: attempt for attempt in harness.read_attempts()}
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
                (status in _STATUSES_OF_RECORDED_ATTEMPTS and "type" in body) or status == 200
                for status, body in order.responses
            ):
                lost.append(f"{order.id}: no attempt, {starts} starts")
            continue
        states[attempt.state] += 1
        contradiction = _find_contradiction(order, attempt, starts)
        if contradiction:
            lost.append(f"{order.id} at {order.charger}: {contradiction}")
        if attempt.state in (State.UNKNOWN, State.PENDING):
            unknown.append(_explain_unknown(order, attempt, starts, harness))
    return Verdict(sum(received.values()), doubles, lost, unknown, states)


def _find_contradiction(order: Order, attempt: Attempt, starts: int) -> str | None:
    outcome = (attempt.answer or {}).get("outcome")
    if attempt.state is State.FAILED and starts:
        return f"the attempt is failed, but {starts} starts were received"
    if outcome == "accepted" and not starts:
        return "the attempt is accepted, but no charge point received a start"
    if order.is_answered and (
        attempt.state is not State.COMPLETED or order.answers != {attempt.answer and attempt.answer["status"]}
    ):
        return f"the callers received {sorted(order.answers)}, but the attempt is {attempt.state} with {attempt.answer}"
    return None


def _explain_unknown(order: Order, attempt: Attempt, starts: int, harness: Harness) -> str:
    behaviour = harness.chargers[order.charger].behaviour
    cause = (attempt.problem or {}).get(
        "detail", "the invocation was terminated before it recorded the outcome"
    )
    received = "the charge point received a start" if starts else "no charge point received a start"
    record = f"the OCPP server's record is {harness.read_record(order.id)}"
    return f"{order.id} at {order.charger} ({behaviour.reaction}, OCPP {behaviour.version}): {record}, {received}. {cause}"
