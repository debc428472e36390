"""The timestamps of OCPP servers' records."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_timestamp(text: object) -> float:
    """Return an ISO 8601 date and time as seconds since the epoch; without a zone, it is in UTC.

    Raises
    ------
    ValueError
        `text` is no such date and time.
    """
    if not isinstance(text, str) or "T" not in text:
        raise ValueError("no date and time")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_optional(text: object) -> float | None:
    """Return the same, and None for None."""
    return None if text is None else parse_timestamp(text)


def format_timestamp(seconds: int) -> str:
    """Return seconds since the epoch as an ISO 8601 date and time in UTC, without a zone."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
