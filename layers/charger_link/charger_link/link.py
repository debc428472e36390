"""Execute one command at one OCPP server, through its dialect, inside one deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from charger_link import masking, ocpp
from charger_link.answer import Answer, Outcome, Published
from charger_link.command import Command
from charger_link.dialects import registry
from charger_link.errors import LinkError, OutcomeUnknown, StatusNotAvailable
from charger_link.exchange import UNANSWERED, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from charger_link.circuit import Circuits
    from charger_link.dialects.dialect import Dialect
    from charger_link.records import Found, Stop
    from charger_link.secrets import Secrets
    from charger_link.servers import Server
    from common.remote_start.transaction import Transaction
    from common.transport import Deadline

_Result = TypeVar("_Result")
_HEALTH_CHECK_TIMEOUT = 1.0  # seconds for a whole health check
_IN_DOUBT = (
    "An earlier try may have reached the OCPP server, and its answer to this one does not change that."
)
_NOT_READ = "The OCPP server's records could not be read. This says nothing about the charge."
_STOP_UNANSWERED = "The stop was sent, or an earlier try of it, and no certain answer came. Stopping the same id again is safe."
_NO_STATUS = "This kind of OCPP server cannot tell a charger's status. Send a tokenId to start a charge."


class Link:
    """The charger link of one deployment. Safe to share between threads."""

    def __init__(self, circuits: Circuits, secrets: Secrets) -> None:
        self._circuits = circuits
        self._secrets = secrets

    def connect(self, command: Command, deadline: Deadline) -> Answer | Published:
        """Execute `command`; return the charger's definite answer, or `Published` if the answer comes to the callback URL.

        Raises
        ------
        LinkError
            There is no answer; ``may_have_started`` says whether a charge may have started.
        """
        dialect = registry.load(command.server.entry.dialect)
        try:
            if command.token is not None:
                answer = _start(dialect, command, self._exchange(command, deadline, dialect.repeatable))
            elif dialect.status is None:
                raise StatusNotAvailable("status-not-available", _NO_STATUS)
            else:
                answer = dialect.status(command, self._exchange(command, deadline, repeat=True))
            return _without_token(answer, command.token) if isinstance(answer, Answer) else answer
        except LinkError:
            raise
        except Exception as error:  # a reply that its dialect fails on says nothing about the charger
            raise OutcomeUnknown("unexpected", UNANSWERED) from error

    def find(self, command: Command, since: float, until: float, deadline: Deadline) -> Found | None:
        """Return what the server's records say of the start with the command's id; None if this kind of server keeps none.

        `since` and `until`, in seconds since the epoch, limit when a transaction began. Nothing is ever started, and the command
        needs no token.

        Raises
        ------
        LinkError
            The records could not be read. This says nothing about the start, whatever the error's type.
        """
        find = registry.load(command.server.entry.dialect).find
        if find is None:
            return None
        exchange = self._exchange(command, deadline, repeat=True)
        return _explain(lambda: find(command, since, until, exchange), _NOT_READ)

    def read_transaction(
        self, command: Command, transaction_id: str, deadline: Deadline
    ) -> Transaction | None:
        """Return a transaction of the command's charger as it is now; None if the server has no such one, or no such request.

        Raises
        ------
        LinkError
            As for `find`.
        """
        read = registry.load(command.server.entry.dialect).read_transaction
        if read is None:
            return None
        exchange = self._exchange(command, deadline, repeat=True)
        return _explain(lambda: read(command, transaction_id, exchange), _NOT_READ)

    def stop(
        self, command: Command, transaction: Transaction | None, deadline: Deadline
    ) -> Stop | Published | None:
        """Stop the charge of the command's start; return `Published` if the answer comes to the command's callback URL.

        `transaction` must be the start's own. It may be None where the dialect stops by id. None is returned, and nothing sent, if
        this kind of server cannot stop the charge. Nothing is ever started, so a stop may be repeated.

        Raises
        ------
        OutcomeUnknown
            The stop was sent, and there is no certain answer.
        LinkError
            Every other one: the charger did not receive the stop.
        """
        dialect = registry.load(command.server.entry.dialect)
        stop = dialect.stop
        if stop is None or (transaction is None and not dialect.stops_by_id):
            return None
        # The doubt of a start says nothing about a stop.
        exchange = self._exchange(command._replace(doubt=False), deadline, repeat=True)
        try:
            stopped = _explain(lambda: stop(command, transaction, exchange), _STOP_UNANSWERED)
        except LinkError as error:
            if isinstance(error, OutcomeUnknown) or not exchange.doubt:
                raise
            raise OutcomeUnknown(error.kind, _STOP_UNANSWERED, opened_circuit=error.opened_circuit) from error
        if exchange.doubt and stopped is not None and not isinstance(stopped, Published):
            if stopped.status == "Rejected":  # the charger may reject the repeat of a stop that it accepted
                raise OutcomeUnknown("rejected", _STOP_UNANSWERED)
            if stopped.status == "Unavailable":
                raise OutcomeUnknown("offline", _STOP_UNANSWERED)
        return stopped

    def check_server(self, server: Server, deadline: Deadline) -> None:
        """Send a suspect server a request that starts nothing and reaches no charger; any whole response closes its circuit.

        Raises
        ------
        CircuitOpen
            The server did not respond within a second; ``opened_circuit`` says whether its circuit was closed until now.
        """
        path = registry.load(server.entry.dialect).health_path
        command = Command("", "", None, None, server)
        exchange = self._exchange(command, deadline.within(_HEALTH_CHECK_TIMEOUT), repeat=False)
        if not exchange.answers_health_check(path):
            raise self._circuits.unhealthy(server.name)

    def unreadable(self, secrets: Iterable[str]) -> list[str]:
        """Return those of the named secrets that cannot be read, or are of no known kind."""
        return [name for name in sorted(secrets) if not self._secrets.readable(name)]

    def _exchange(self, command: Command, deadline: Deadline, repeat: bool) -> Exchange:
        return Exchange(command, deadline, self._circuits, self._secrets, repeat)


def _start(dialect: Dialect, command: Command, exchange: Exchange) -> Answer | Published:
    """Request a start.

    A request that was lost on its way may arrive after its repeat was answered. In doubt, only the charger's own answer is
    certain: "nothing was sent" is true of the repeat alone.
    """
    try:
        answer = dialect.start(command, exchange)
    except LinkError as error:
        if error.may_have_started or not exchange.doubt:
            raise
        raise OutcomeUnknown(error.kind, _IN_DOUBT, opened_circuit=error.opened_circuit) from error
    if exchange.doubt and isinstance(answer, Answer):
        if answer.outcome is Outcome.OFFLINE:
            raise OutcomeUnknown("offline", _IN_DOUBT)
        if answer.early or answer.outcome is Outcome.CANCELLED:
            raise OutcomeUnknown("not-asked", _IN_DOUBT)
    return answer


def _explain(request: Callable[[], _Result], unknown: str) -> _Result:
    """Return the result of a request that starts nothing; raise an unknown outcome with the text `unknown`, which is not about a
    start."""
    try:
        return request()
    except OutcomeUnknown as error:
        raise OutcomeUnknown(error.kind, unknown, opened_circuit=error.opened_circuit) from error
    except LinkError:
        raise
    except Exception as error:  # a reply that its dialect fails on
        raise OutcomeUnknown("unexpected", unknown) from error


def _without_token(answer: Answer, token: str | None) -> Answer:
    """Return the answer as it may be stored and shown: ``info`` with the token masked, and then cut to its length."""
    info = answer.info
    if info and token:
        info = masking.mask_info(info, token)
    return answer._replace(info=info and ocpp.cut(info))
