"""From an event to an answer in the negotiated format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charger_connect import observe
from charger_connect.event import Call, headers_of
from charger_connect.flow import Reply, connect
from charger_connect.request import ConnectRequest, connector_of
from common.edge import guarded
from common.wire import Problem, ProblemError, make_problem, negotiate, read_request, write_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from charger_connect.service import Service
    from common.edge import Context


def _internal_error(event: Mapping[str, Any]) -> dict[str, Any]:
    detail = "The service failed; what became of the request is not known. Look at the attempt by its id."
    return _answer(Reply(make_problem("internal-error", detail)), headers_of(event))


@guarded(_internal_error)
def respond(event: Mapping[str, Any], context: Context, service: Service) -> dict[str, Any]:
    """Answer one HTTP API event (payload 2.0) with a proxy response."""
    call = Call.of(event, context)
    with observe.invocation(context):
        reply = _reply(call, service)
        observe.answered(reply.message)
    return _answer(reply, call.headers)


def _answer(reply: Reply, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the proxy response, in the format that the request's headers ask for."""
    media = negotiate(headers.get("content-type"), headers.get("accept"), headers.get("x-requested-with"))
    content_type, body = write_response(reply.message, media)
    return {
        "statusCode": reply.message.status if isinstance(reply.message, Problem) else 200,
        "headers": {"Content-Type": content_type, **reply.headers},
        "body": body,
        "isBase64Encoded": False,
    }


def _reply(call: Call, service: Service) -> Reply:
    try:
        if call.method != "POST":
            raise ProblemError(
                make_problem("method-not-allowed", "Send the request with POST."), {"Allow": "POST"}
            )
        request = read_request(
            call.body,
            call.headers.get("content-type"),
            ConnectRequest,
            connectorId=connector_of(call.query),
        )
        return connect(request, call, service)
    except ProblemError as refused:
        observe.refused(refused.problem)
        return Reply(refused.problem, refused.headers)
