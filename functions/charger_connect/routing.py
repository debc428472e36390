"""Which attempts of a charger prove that an OCPP server holds it, for a request that names no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_link import Outcome
from charger_link.words import REFUSALS
from common.journal import State

if TYPE_CHECKING:
    from common.journal import Attempt

# How the info of a rejection begins that came from the charger: its own Rejected, or its reasonCode of OCPP 2.0.1.
_FROM_THE_CHARGER = ("charger-refused", "connector-busy", "token-refused InvalidIdToken")


def charger_answered(attempt: Attempt) -> bool:
    """Return whether the charger itself answered in this attempt: it accepted, it rejected, or it gave a status.

    A rejection that was made before the charger was asked proves nothing. Such attempts are ``failed``, but version 1.0 stored
    them as ``completed``, so a rejection is judged by its info as well: none (some servers give none), a word that only
    a charger's answer leads to, or the code of the charger's CALLERROR.
    """
    answer = attempt.answer
    if attempt.state is not State.COMPLETED or answer is None:
        return False
    if answer["outcome"] != Outcome.REJECTED:
        return answer["outcome"] in (Outcome.ACCEPTED, Outcome.STATUS)
    info = answer.get("info")
    if not info or info.startswith(_FROM_THE_CHARGER):
        return True
    word, _, code = info.partition(" ")
    return word == "not-supported" and code in REFUSALS
