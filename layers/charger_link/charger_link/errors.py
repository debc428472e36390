"""The errors of the link, and whether a charge may have started.

    LinkError
    ├── Unreachable          no connection could be made
    ├── CircuitOpen          the server failed a moment ago, and was not called
    ├── ServerBusy           the server sent nothing to the charger, and may do so later
    ├── ServerRefused        the server does not accept our credentials
    ├── ServerFailed         an error that means that nothing was started
    ├── ChargerUnknown       the server does not know the charger
    ├── StatusNotAvailable   this kind of server has no status
    └── OutcomeUnknown       sent, and the outcome is not known     <- the only one that may have started a charge

A dialect raises `OutcomeUnknown` for whatever it does not recognise.
"""

from __future__ import annotations


class LinkError(Exception):
    """There is no answer from the charger.

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
    """No connection could be made: refused, no route, timed out, or an invalid certificate."""


class CircuitOpen(LinkError):
    """The server failed several times in a row, and nothing was sent; after ``retry_after`` seconds a request may try again."""


class ServerBusy(LinkError):
    """The server cannot take the request now, and confirms that nothing was sent."""


class ServerRefused(LinkError):
    """The server does not accept the credentials in its ``LinkServers`` entry."""


class ServerFailed(LinkError):
    """The server returned an error that means that nothing was started."""


class ChargerUnknown(LinkError):
    """The server does not know this charger."""


class StatusNotAvailable(LinkError):
    """The kind of server has no request for a charger's status."""


class OutcomeUnknown(LinkError):
    """The request was sent, and whether the charger starts is not known."""

    may_have_started = True
