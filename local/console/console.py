"""The console's event stream and its commands. Everything else the console reads from the API, as any other client does."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local import events
from local.chargers.behaviours import Reaction
from local.console.feed import Feed
from local.console.files import files
from local.processes import RESTART_SECONDS
from local.server import Request, Response, message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.processes import Process

    Page = Callable[[Request], Response]

_STREAM = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")]


class Console:
    """Create it before the processes that it shows: they report to `set_charge_points` and `add_notice`.

    Events of its feed: ``stack`` (a description), ``charge-points`` (all of them, see `local.chargers.snapshot`),
    ``messages`` (their last OCPP messages, by charger), ``ocpp-server`` (its process), ``notice`` (a text), ``attempt``
    (the id of an attempt that may have changed; the browser reads the attempt from the API), and ``change`` (the event that a
    deployment publishes for a change of an attempt's state).
    """

    def __init__(self) -> None:
        self._feed = Feed()
        self._charge_points: list[dict[str, Any]] = []
        self._server: Process | None = None
        self._pipe = events.read()

    def set_charge_points(self, charge_points: list[dict[str, Any]] | None) -> None:
        """Publish a snapshot of the charge points; None if their process has ended."""
        if charge_points is None:
            charge_points = [{**one, "connected": False} for one in self._charge_points]
        self._charge_points = charge_points
        cards = [{name: one[name] for name in one if name != "messages"} for one in charge_points]
        self._feed.set_state("charge-points", cards)
        self._feed.set_state("messages", {one["chargerId"]: one.get("messages", []) for one in charge_points})

    def add_notice(self, text: str) -> None:
        """Publish that a process ended or restarted."""
        self._feed.send("notice", text)
        self._publish_server()

    def on_write(self, operation: str, body: Mapping[str, Any]) -> None:
        """Publish the id of an attempt that the table has written. `body` is the request, in DynamoDB's JSON."""
        if operation == "UpdateItem":
            self._feed.send("attempt", body["Key"]["id"]["S"])

    def on_change(self, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> None:
        """Publish the event of a change in the table, if it has one."""
        if event := self._pipe.event(events.make_record(old, new)):
            self._feed.send("change", event)

    def pages(
        self, server: Process, charge_points: Process, description: Mapping[str, Any]
    ) -> dict[str, Page]:
        """Return the pages by path. Commands kill `server` and change the behaviour of `charge_points`."""
        self._server = server
        self._publish_server()
        self._feed.set_state("stack", description)

        def stream(request: Request) -> Response:
            if request.method != "GET":
                return message(HTTPStatus.METHOD_NOT_ALLOWED)
            return Response(200, _STREAM, self._feed.stream())

        def kill(_: Any) -> HTTPStatus:
            server.kill()
            return HTTPStatus.NO_CONTENT

        def set_behaviour(command: Any) -> HTTPStatus:
            if not self._is_valid(command):
                return HTTPStatus.BAD_REQUEST
            try:
                charge_points.send(command)
            except OSError:
                return HTTPStatus.SERVICE_UNAVAILABLE
            return HTTPStatus.NO_CONTENT

        return {
            **files(),
            "/console/events": stream,
            "/console/kill-ocpp-server": _command_page(kill),
            "/console/charge-point": _command_page(set_behaviour),
        }

    def close(self) -> None:
        """End the event streams."""
        self._feed.close()

    def _publish_server(self) -> None:
        if self._server:
            state = {"pid": self._server.pid, "running": self._server.running, "restart": RESTART_SECONDS}
            self._feed.set_state("ocpp-server", state)

    def _is_valid(self, command: Any) -> bool:
        match command:
            case {"chargerId": str(charger), "online": bool(), "reaction": str(reaction)}:
                known = [one["chargerId"] for one in self._charge_points]
                return charger in known and reaction in list(Reaction)
        return False


def _command_page(execute: Callable[[Any], HTTPStatus]) -> Page:
    """Return a page that takes commands in JSON. A page of another site cannot send that media type without a preflight."""

    def page(request: Request) -> Response:
        types = [value for name, value in request.headers if name.lower() == "content-type"]
        if request.method != "POST":
            return message(HTTPStatus.METHOD_NOT_ALLOWED)
        if types != ["application/json"]:
            return message(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            command = json.loads(request.body)
        except (ValueError, RecursionError):
            return message(HTTPStatus.BAD_REQUEST)
        status = execute(command)
        return Response(status) if status == HTTPStatus.NO_CONTENT else message(status)

    return page
