"""What a claim's holder records at the end, and how it reads the item that its write found instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from common.journal.attempt import Attempt, State
    from common.remote_start.transaction import Transaction

OUTCOME_FIELDS = ("answer", "problem", "milliseconds")  # of both Settlement and Attempt


class Settlement(NamedTuple):
    """The result of a claimed attempt; ``started``: the charger accepted a start; ``provisional``: another try may contradict it.

    ``due``: when the OCPP server's records are first searched for an unknown outcome, in seconds since the epoch; None: never.
    """

    state: State
    answer: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    milliseconds: dict[str, Any] | None = None
    started: bool = False
    provisional: bool = False
    due: float | None = None
    transaction: Transaction | None = None

    def is_recorded_in(self, found: Attempt, mine: Attempt) -> bool:
        """Return whether `found` already holds this settlement of `mine`: its write was applied and the response lost."""
        return found.owner == mine.owner and found.state is self.state and found.answer == self.answer
