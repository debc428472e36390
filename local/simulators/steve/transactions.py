"""SteVe's table of transactions, and the query that its API accepts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from local.ocppj import parse_time
from local.simulators.steve.responses import ApiError, not_understood

if TYPE_CHECKING:
    from local.csms.version import Begin, End

_TYPES = ("ALL", "ACTIVE", "STOPPED")
_DAYS = {"LAST_10": 10, "LAST_30": 30, "LAST_90": 90}


@dataclass(slots=True)
class Transaction:
    """One row. Times are those of the charge point's clock, in OCPP's format; `arrived` is the simulator's monotonic clock."""

    id: int
    charger: str
    connector: int
    tag: str
    meter: int
    started: str
    arrived: float
    stopped: str | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        ended = self.stopped is not None
        return {
            "id": self.id,
            "connectorId": self.connector,
            "chargeBoxPk": 1,
            "ocppTagPk": 1,
            "chargeBoxId": self.charger,
            "ocppIdTag": self.tag,
            "startTimestamp": self.started,
            "startValue": str(self.meter),
            "stopTimestamp": self.stopped,
            "stopValue": "1000" if ended else None,
            "stopReason": self.reason,
            "stopEventActor": "station" if ended else None,
        }


class Transactions:
    """The table. Ids are given in the order of arrival, from 1. It is the recorder of the charge points' reports.

    Faults, for tests: a row appears in the API `lag` seconds after it arrived, and those in `missing` never. With
    `oldest_first`, the order is wrong. With `ignores_filters`, the API returns every row, also another driver's. `add` inserts
    a row that no charge point reported, and `clear` rebuilds the database: ids begin again.
    """

    def __init__(self) -> None:
        self.lag = 0.0
        self.missing: set[int] = set()
        self.oldest_first = False
        self.ignores_filters = False
        self._rows: list[Transaction] = []

    def booted(self, charger: str) -> None: ...

    def began(self, charger: str, begin: Begin) -> str:
        """Record a StartTransaction. The same one again (connector, tag, time, meter) keeps its id."""
        key = (charger, begin.connector, begin.token, begin.at, begin.meter)
        for row in self._rows:
            if (row.charger, row.connector, row.tag, row.started, row.meter) == key:
                return str(row.id)
        return str(self.add(charger, begin.token or "", begin.connector, begin.at, meter=begin.meter))

    def ended(self, charger: str, end: End) -> None:  # noqa: ARG002
        """Record a StopTransaction. The first one is kept."""
        for row in self._rows:
            if str(row.id) == end.id and row.stopped is None:
                row.stopped, row.reason = end.at, end.reason

    def add(
        self,
        charger: str,
        tag: str,
        connector: int,
        started: str,
        stopped: str | None = None,
        *,
        meter: int = 0,
    ) -> int:
        """Insert a row, and return its id."""
        row = Transaction(
            len(self._rows) + 1, charger, connector, tag, meter, started, time.monotonic(), stopped
        )
        self._rows.append(row)
        return row.id

    def clear(self) -> None:
        """Delete every row. The next one gets the id 1."""
        self._rows.clear()
        self.missing.clear()

    def is_active(self, charger: str, id_: int) -> bool:
        """Return whether the transaction is this charge point's and has not ended."""
        return any((row.id, row.charger, row.stopped) == (id_, charger, None) for row in self._rows)

    def is_in_use(self, tag: str) -> bool:
        """Return whether the tag has an active transaction."""
        return any(row.tag.lower() == tag.lower() and row.stopped is None for row in self._rows)

    def select(self, query: str) -> list[dict[str, Any]]:
        """Return the rows that match the query string, the newest id first. Raises ApiError on bad values."""
        wanted = _Query(query)
        now = time.monotonic()
        found = [
            row.to_json()
            for row in self._rows
            if row.arrived + self.lag <= now
            and row.id not in self.missing
            and (self.ignores_filters or wanted.matches(row))
        ]
        return found if self.oldest_first else found[::-1]


class _Query:
    """The parameters of a request. Unknown ones are ignored."""

    def __init__(self, query: str) -> None:
        given = {name: value for name, value in parse_qsl(query) if value}
        if given.get("returnCSV", "false").lower() != "false":
            raise ApiError(400, "returnCSV=true is not supported for API calls")
        self._type = given.get("type", "ACTIVE")
        if self._type not in _TYPES:
            raise not_understood()
        self._charger = given.get("chargeBoxId", "").lower()
        self._tag = given.get("ocppIdTag", "").lower()
        self._connector = _integer(given.get("connectorId"))
        self._id = _integer(given.get("transactionPk"))
        self._from, self._to = _period(given)

    def matches(self, row: Transaction) -> bool:
        started = parse_time(row.started)
        return (
            self._type in ("ALL", "ACTIVE" if row.stopped is None else "STOPPED")
            and self._charger in ("", row.charger.lower())
            and self._tag in ("", row.tag.lower())
            and self._connector in (None, row.connector)
            and self._id in (None, row.id)
            and (self._from is None or self._from <= started)
            and (self._to is None or started <= self._to)
        )


def _period(given: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    now = datetime.now(UTC)
    match given.get("periodType", "ALL"):
        case "ALL":
            return None, None
        case "TODAY":
            return now.replace(hour=0, minute=0, second=0, microsecond=0), None
        case "FROM_TO":
            begin, end = _time(given.get("from")), _time(given.get("to"))
            if end <= begin:
                raise not_understood()
            return begin, end
        case days if days in _DAYS:
            return now - timedelta(days=_DAYS[days]), None
    raise not_understood()


def _time(text: str | None) -> datetime:
    """Return a time of ISO 8601 with a `T`; without a zone, it is in UTC."""
    try:
        if text and "T" in text:
            return parse_time(text)
    except ValueError:
        pass
    raise not_understood()


def _integer(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise not_understood() from None
