"""Read a request, and return its reply in the format that the caller asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_connect import metrics, observe
from charger_connect.flow import connect
from charger_connect.request import ConnectRequest, connector_of
from common.edge.call import Call, headers_of
from common.edge.guard import guarded
from common.edge.paths import ATTEMPT
from common.edge.replies import Reply, internal_error, proxy_response
from common.wire import MediaType, ProblemError, make_problem, negotiate, read_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charger_connect.service import Service
    from common.edge.lambda_types import Context, Event, Response

_STOP = f"DELETE {ATTEMPT}"
_INTERNAL_ERROR = (
    "The service failed, and the outcome of the request is unknown. Look at the attempt by its id."
)


@guarded(internal_error(_INTERNAL_ERROR, lambda event: _media(headers_of(event))))
def respond(event: Event, context: Context, service: Service) -> Response:
    """Return the proxy response to one event of the HTTP API."""
    call = Call.of(event, context)
    with metrics.invocation(context):
        reply = _reply(call, service)
        observe.answered(reply.message)
    return proxy_response(reply, _media(call.headers))


def _reply(call: Call, service: Service) -> Reply:
    try:
        if call.route == _STOP:
            return _stop(call, service)
        if call.method != "POST":  # the route has every method, so that a wrong one receives a 405
            detail = "Send the request with POST."
            raise ProblemError(make_problem("method-not-allowed", detail), {"Allow": "POST"})
        request = read_request(
            call.body,
            call.headers.get("content-type"),
            ConnectRequest,
            connectorId=connector_of(call.query),
        )
        return connect(request, call, service)
    except ProblemError as error:
        observe.refused(error.problem)
        return Reply.from_error(error)


def _stop(call: Call, service: Service) -> Reply:
    # Imported here: a process that only starts charges does not need it.
    from charger_connect.stop import stop

    return stop(call, service)


def _media(headers: Mapping[str, str]) -> MediaType:
    return negotiate(headers.get("content-type"), headers.get("accept"), headers.get("x-requested-with"))
