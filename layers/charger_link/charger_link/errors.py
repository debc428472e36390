"""Why the link has no answer, and whether anything may have been started.

    LinkError
    ├── Unreachable          the connection was never made
    ├── CircuitOpen          the server failed a moment ago; it was not tried
    ├── ServerBusy           the server says: certainly not sent, later perhaps
    ├── ServerRefused        our credentials do not hold
    ├── ServerFailed         an error that means nothing was started
    ├── ChargerUnknown       the server does not know the charger
    ├── StatusNotAvailable   this kind of server cannot tell a status
    └── OutcomeUnknown       sent, and the outcome is not known     <- the only one that may have started a charge

What a dialect does not recognise is `OutcomeUnknown`.
"""

from __future__ import annotations


class LinkError(Exception):
    """No answer from the charger.

    ``kind`` is one word for metrics. ``detail`` is a text for the caller: it holds no address, token or secret.
    ``retry_after`` is in seconds. ``opened_circuit``: this failure opened the server's circuit.
    """

    may_have_started = False

    def __init__(
        self, kind: str, detail: str, *, retry_after: int | None = None, opened_circuit: bool = False
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        self.opened_circuit = opened_circuit


class Unreachable(LinkError):
    """The connection was never made: refused, no route, timed out, or the certificate does not hold."""


class CircuitOpen(LinkError):
    """The server itself failed several times in a row, and nothing was sent; in ``retry_after`` seconds it is tried again."""


class ServerBusy(LinkError):
    """The server cannot take the call now, and says that nothing was sent."""


class ServerRefused(LinkError):
    """The server does not accept the credentials in its ``LinkServers`` entry."""


class ServerFailed(LinkError):
    """The server answered with an error that means that nothing was started."""


class ChargerUnknown(LinkError):
    """The server does not know this charger."""


class StatusNotAvailable(LinkError):
    """A status was asked of a kind of server that cannot tell one."""


class OutcomeUnknown(LinkError):
    """The request was sent, and whether the charger starts is not known."""

    may_have_started = True
