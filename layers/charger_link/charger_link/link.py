"""Execute one command at one OCPP server, through its dialect, inside one deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_link import masking, ocpp
from charger_link.answer import Answer, Outcome
from charger_link.command import Command
from charger_link.dialects import registry
from charger_link.errors import LinkError, OutcomeUnknown, StatusNotAvailable
from charger_link.exchange import UNANSWERED, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charger_link.answer import Published
    from charger_link.circuit import Circuits
    from charger_link.dialects.dialect import Dialect
    from charger_link.secrets import Secrets
    from charger_link.servers import Server
    from common.transport import Deadline

_HEALTH_CHECK_TIMEOUT = 1.0  # seconds for a whole health check
_IN_DOUBT = (
    "An earlier try may have reached the OCPP server, and its answer to this one does not change that."
)
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
        if answer.early:
            raise OutcomeUnknown("not-asked", _IN_DOUBT)
    return answer


def _without_token(answer: Answer, token: str | None) -> Answer:
    """Return the answer as it may be stored and shown: ``info`` with the token masked, and then cut to its length."""
    info = answer.info
    if info and token:
        info = masking.mask_info(info, token)
    return answer._replace(info=info and ocpp.cut(info))
