"""Act on the attempts that are due: first what needs only the table, then the searches, each server by itself.

Every write has the condition that the attempt is unchanged, so that two sweeps at once do no harm.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from charger_link import AddressNotAllowed, AddressUnusable, Command, LinkError
from common.journal import JournalUnavailable, looks
from common.journal.search import search
from common.journal.unfinished import NOT_DUE, next_look
from resolve.steps import SOON, Action, next_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from common.journal import Attempt
    from common.journal.looking import Look
    from common.journal.unfinished import Entry
    from common.transport import Deadline
    from resolve.observe import Counters
    from resolve.service import Service

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_MOST_DUE = 2000  # attempts of one sweep, the oldest first
_LOOKS = 10  # searches of one server in a sweep
_MINUTE = 60.0  # seconds between two sweeps
_THREADS = 4
_LOOK_TIMEOUT = 10.0  # seconds of one search at the server
_RECORD_RESERVE = 5.0  # seconds of the deadline in which no search begins: what it finds has to be recorded
_TABLE_TIMEOUT = 5.0  # seconds of one call to the table
_LAST_STEP = 1.0  # seconds of the deadline in which nothing begins


def sweep(entries: Iterable[Entry], service: Service, counters: Counters, deadline: Deadline) -> None:
    """Act on what is due; what the deadline leaves over is due in the next sweep."""
    _Sweep(service, counters, deadline).run(entries)


class _Sweep:
    def __init__(self, service: Service, counters: Counters, deadline: Deadline) -> None:
        self._service = service
        self._journal = service.journal
        self._counters = counters
        self._deadline = deadline
        self._has_failed = False  # the table: the rest of the sweep would fail, too

    def run(self, entries: Iterable[Entry]) -> None:
        due_before = self._journal.clock() + SOON
        due = sorted(
            (entry for entry in entries if entry.due_at <= due_before), key=lambda entry: entry.due_at
        )
        queues: dict[str | None, list[Attempt]] = defaultdict(list)
        for entry in due[:_MOST_DUE]:
            attempt = self._guarded(entry.id, self._step, entry.id)
            if attempt is not None:
                queues[attempt.server].append(attempt)
        # A server that hangs delays the searches of others only if four of them hang.
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(self._look_at_server, queues.values()))

    def _step(self, id_: str) -> Attempt | None:
        """Do what needs only the table; return the attempt if its server's records are to be searched."""
        attempt, now = self._journal.get(id_, self._table_deadline()), self._journal.clock()
        step = next_step(attempt, now)
        self._counters.stepped(step)
        if attempt is None or step.action is Action.NOTHING:
            return None
        if step.action is Action.LOOK:
            return attempt
        if step.action is Action.EXPIRE:
            if self._journal.apply(looks.expire(attempt, now, step.due), self._table_deadline()):
                self._counters.expired(attempt)
        elif step.action is Action.LEAVE:
            self._journal.apply(looks.leave_index(attempt), self._table_deadline())
        else:
            self._postpone(attempt, step.due)
        return None

    def _look_at_server(self, queue: Sequence[Attempt]) -> None:
        """Search one server's records for the attempts until the server fails, those first that were never looked for or longest ago."""
        queue = sorted(queue, key=lambda attempt: attempt.lookedAt or "")
        is_available = True
        for attempt in queue[:_LOOKS]:
            act = self._look if is_available else self._look_later
            is_available = self._guarded(attempt.id, act, attempt) is not False and is_available
        # The rest is spread over the next sweeps, so that it does not keep the attempts of other servers waiting.
        now = self._journal.clock()
        for number, attempt in enumerate(queue[_LOOKS:], start=_LOOKS):
            self._guarded(attempt.id, self._postpone, attempt, now + number // _LOOKS * _MINUTE)

    def _look(self, attempt: Attempt) -> bool:
        """Search the records for one attempt; return False if the server is not to be called again in this sweep."""
        if self._deadline.remaining() < _RECORD_RESERVE:
            return True
        try:
            look = self._search(attempt)
        except (AddressNotAllowed, AddressUnusable) as error:
            # An entry of LinkServers that is changed back within a day is used again.
            self._counters.not_called(attempt, getattr(error, "reason", "unusable"))
            return self._look_later(attempt)
        except LinkError as error:  # this says nothing about the start
            self._counters.not_read(attempt, error.kind)
            self._look_later(attempt)
            return False
        if look is None:  # this release of the server keeps no such records
            return self._postpone(attempt, NOT_DUE)
        self._counters.looked(attempt, look)
        return True

    def _search(self, attempt: Attempt) -> Look | None:
        service = self._service
        server = service.servers.find_same(attempt.server or "", attempt.url, attempt.dialect, attempt.tenant)
        deadline = self._deadline.before(_RECORD_RESERVE).within(_LOOK_TIMEOUT)
        if service.circuits.check(server.name):
            service.link.check_server(server, deadline)
        command = Command(attempt.id, attempt.chargerId, None, attempt.connectorId, server)
        return search(
            self._journal,
            attempt,
            lambda since, until: service.link.find(command, since, until, deadline),
            window=service.window,
            secret=service.secret,
            deadline=self._deadline,
        )

    def _look_later(self, attempt: Attempt) -> bool:
        return self._postpone(attempt, next_look(attempt.last_sending, self._journal.clock()))

    def _postpone(self, attempt: Attempt, due: float) -> bool:
        self._journal.apply(looks.postpone(attempt, due), self._table_deadline())
        return True

    def _table_deadline(self) -> Deadline:
        return self._deadline.within(_TABLE_TIMEOUT)

    def _guarded(
        self,
        id_: str,
        act: Callable[_Arguments, _Result],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Result | None:
        """Return what `act` returns; None if it fails, or if the sweep has to end: one attempt does not end the sweep."""
        if self._has_failed or self._deadline.remaining() < _LAST_STEP:
            return None
        try:
            return act(*arguments, **named)
        except JournalUnavailable as error:
            self._has_failed = True
            self._counters.journal_failed(id_, error.reason)
        except Exception as error:  # noqa: BLE001 - an item of another version can have any content
            self._counters.crashed(id_, error)
        return None
