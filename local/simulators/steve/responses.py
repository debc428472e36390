"""The responses that are not results: errors of the API, and pages of the web server."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from local.server import Response
from local.simulators.serving import json_response


class ApiError(Exception):
    """A request that SteVe declines, with the status code and the message of its response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def respond(self, path: str) -> Response:
        """Return the response to a request for `path`."""
        body = {
            "timestamp": datetime.now(UTC).isoformat(),
            "status": self.status,
            "error": HTTPStatus(self.status).phrase,
            "message": self.message,
            "path": path,
        }
        return json_response(self.status, body)


def not_understood() -> ApiError:
    return ApiError(400, "Error understanding the request")


def page(status: int) -> Response:
    """Return a page of Tomcat's own."""
    text = f"<!doctype html><html><body><h1>HTTP Status {status}</h1></body></html>"
    return Response(status, [("Content-Type", "text/html;charset=utf-8")], text.encode())
