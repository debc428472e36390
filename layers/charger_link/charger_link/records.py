"""What the link returns about a start that was sent: what the server's records say of it, and the outcome of a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from charger_link.answer import Answer
    from common.remote_start.transaction import Transaction


class Found(NamedTuple):
    """What a server's records say of a start. An empty result never means that nothing was started.

    ``exact``: the server links what it returns to our id.
    ``answer``: the charger's recorded answer, ACCEPTED or REJECTED; only if exact. None if transactions contradict a rejection.
    ``supported``: False if this server keeps no such record.
    """

    transactions: tuple[Transaction, ...] = ()
    exact: bool = False
    answer: Answer | None = None
    supported: bool = True


class Stop(NamedTuple):
    """The outcome of a stop: the charger's answer, or the server's if the charger needs none.

    ``status``: Unavailable means that the charger is not connected.
    ``info``: None, or a word of the closed list, and a code of OCPP after it.
    The rest is what a server that stops by our id records of the start.
    ``cancelled``: the server never sends a start with this id from now on.
    """

    status: Literal["Accepted", "Rejected", "Unavailable"]
    info: str | None = None
    cancelled: bool = False
    answer: Answer | None = None
    transactions: tuple[Transaction, ...] = ()
