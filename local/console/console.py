"""What the console shows and does, besides what it asks of the API as every other client."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local.chargers.behaviours import Reaction
from local.console.feed import Feed
from local.console.files import files
from local.processes import RESTART_SECONDS
from local.server import Request, Response, message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.processes import Child

    Page = Callable[[Request], Response]

_STREAM = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")]


class Console:
    """Made before the processes that it watches, which then report to `hear` and `say`.

    Events of its feed: ``stack`` (what runs here), ``charge-points`` (all of them, see `local.chargers.live`),
    ``messages`` (their last OCPP messages by charger), ``ocpp-server``, and ``attempt`` (the id of one that may have changed: the API tells the rest).
    """

    def __init__(self) -> None:
        self._feed = Feed()
        self._charge_points: list[dict[str, Any]] = []
        self._server: Child | None = None

    def hear(self, charge_points: list[dict[str, Any]] | None) -> None:
        """What the charge points are now; None where their process is gone."""
        if charge_points is None:
            charge_points = [{**one, "connected": False} for one in self._charge_points]
        self._charge_points = charge_points
        cards = [{name: one[name] for name in one if name != "messages"} for one in charge_points]
        self._feed.tell("charge-points", cards)
        self._feed.tell("messages", {one["chargerId"]: one.get("messages", []) for one in charge_points})

    def say(self, text: str) -> None:
        """A process ended or came back: `text` says so."""
        self._feed.mention("notice", text)
        self._show_server()

    def wrote(self, operation: str, body: Mapping[str, Any]) -> None:
        """The table carried an operation out (DynamoDB's JSON)."""
        if operation == "UpdateItem":
            self._feed.mention("attempt", body["Key"]["id"]["S"])

    def pages(self, server: Child, steered: Child, about: Mapping[str, Any]) -> dict[str, Page]:
        """By path. `server` can be killed, `steered` takes the charge points' orders, `about` describes the stack."""
        self._server = server
        self._show_server()
        self._feed.tell("stack", about)

        def events(request: Request) -> Response:
            if request.method != "GET":
                return message(HTTPStatus.METHOD_NOT_ALLOWED)
            return Response(200, _STREAM, self._feed.listen())

        def kill(_: Any) -> HTTPStatus:
            server.kill()
            return HTTPStatus.NO_CONTENT

        def steer(order: Any) -> HTTPStatus:
            if not self._is_order(order):
                return HTTPStatus.BAD_REQUEST
            try:
                steered.tell(order)
            except OSError:
                return HTTPStatus.SERVICE_UNAVAILABLE
            return HTTPStatus.NO_CONTENT

        return {
            **files(),
            "/console/events": events,
            "/console/kill-ocpp-server": _ordered(kill),
            "/console/charge-point": _ordered(steer),
        }

    def close(self) -> None:
        """Ends the event streams."""
        self._feed.close()

    def _show_server(self) -> None:
        if self._server:
            state = {"pid": self._server.pid, "running": self._server.running, "away": RESTART_SECONDS}
            self._feed.tell("ocpp-server", state)

    def _is_order(self, order: Any) -> bool:
        match order:
            case {"chargerId": str(charger), "online": bool(), "reaction": str(reaction)}:
                known = [one["chargerId"] for one in self._charge_points]
                return charger in known and reaction in list(Reaction)
        return False


def _ordered(carry_out: Callable[[Any], HTTPStatus]) -> Page:
    """A page that takes orders. Their type is one that no other site's page can make a browser send unasked."""

    def page(request: Request) -> Response:
        types = [value for name, value in request.headers if name.lower() == "content-type"]
        if request.method != "POST":
            return message(HTTPStatus.METHOD_NOT_ALLOWED)
        if types != ["application/json"]:
            return message(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            order = json.loads(request.body)
        except (ValueError, RecursionError):
            return message(HTTPStatus.BAD_REQUEST)
        status = carry_out(order)
        return Response(status) if status == HTTPStatus.NO_CONTENT else message(status)

    return page
