"""The five conditions under which a transaction in a server's records is certainly the charge that an attempt started.

1. Charger, token and connector agree (`matching`).
2. It began in the window of the attempt's sendings (`matching`).
3. No other attempt of this charger and token can have started it (`has_rival`).
4. An earlier look returned it, too, long enough ago that the index shows each rival (`is_old_enough`).
5. No other attempt has taken it (`common.journal.looks.take`).

Pure functions: all times are arguments, in seconds since the epoch. In doubt, a transaction is not the attempt's.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from common.journal.attempt import parse_timestamp, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from common.journal.attempt import Attempt
    from common.remote_start.transaction import Transaction

SETTLING = 10.0  # seconds in which the index of a charger's attempts follows the table


class Window(NamedTuple):
    """Seconds: by how much a charger's clock may be wrong, and how long after its sending a start may begin its charge."""

    tolerance: float = 60.0
    longest_start: float = 600.0


def matching(
    attempt: Attempt,
    rows: Iterable[Transaction],
    window: Window,
    digest_of: Callable[[str, str], bytes],
) -> list[Transaction]:
    """Return the rows that meet conditions 1 and 2, in the order of their beginning, each once.

    `digest_of` is `token_digest` of a charger and a token. An attempt without a digest matches nothing.
    """
    first = attempt.first_sending - window.tolerance
    last = attempt.last_sending + window.longest_start
    found = {
        sighting(row): (row.started_at, row)
        for row in rows
        if row.started_at is not None and first <= row.started_at <= last and _agrees(attempt, row, digest_of)
    }
    return [row for _, row in sorted(found.values(), key=lambda pair: pair[0])]


def has_rival(attempt: Attempt, others: Iterable[Attempt], first_seen: float, window: Window) -> bool:
    """Return whether another attempt of the charger can have started a transaction that matches `attempt` (condition 3).

    `others` are all attempts of the charger. `first_seen` is the time of the look that first returned the transaction.
    """
    since = attempt.first_sending - window.longest_start - window.tolerance
    return any(
        other.id != attempt.id
        and other.may_have_started
        and other.first_sending <= first_seen
        and other.last_sending >= since
        and _may_have_same_token(attempt, other)
        for other in others
    )


def is_old_enough(attempt: Attempt, transaction: Transaction, now: float) -> bool:
    """Return whether an earlier look returned the transaction long enough ago (condition 4)."""
    first_seen = first_sighting(attempt, transaction)
    return first_seen is not None and now - first_seen >= SETTLING


def first_sighting(attempt: Attempt, transaction: Transaction) -> float | None:
    """Return the time of the first look that returned the transaction; None if none did."""
    seen = (attempt.sightings or {}).get(sighting(transaction))
    return None if seen is None else parse_timestamp(seen)


def sighting(transaction: Transaction) -> str:
    """Return the key of a transaction in ``sightings``: a server whose database is rebuilt uses its ids again."""
    started = transaction.started_at
    return f"{transaction.id} {'' if started is None else timestamp(started)}"


def most_transactions(attempt: Attempt) -> int:
    """Return how many transactions an attempt can have: one, or one for each try if an operator's word can be wrong."""
    return attempt.tries if attempt.is_resolved else 1


def _agrees(attempt: Attempt, row: Transaction, digest_of: Callable[[str, str], bytes]) -> bool:
    if attempt.digest is None or row.token is None or row.charger_id != attempt.chargerId:
        return False
    if attempt.connectorId and row.connector != attempt.connectorId:  # connector 0 is the whole charger
        return False
    return hmac.compare_digest(attempt.digest, digest_of(row.charger_id, row.token))


def _may_have_same_token(attempt: Attempt, other: Attempt) -> bool:
    """Return whether both may have the same token: version 1.0 stored no digest, and the masked token can exclude it."""
    if other.token is None:  # a status request
        return False
    if attempt.digest is not None and other.digest is not None:
        return hmac.compare_digest(attempt.digest, other.digest)
    return attempt.token is None or attempt.token.casefold() == other.token.casefold()
