"""Receive an event from Lambda: an HTTP request, or the check before traffic shifts.

The preflight function invokes each new version directly, with `{"preflight": true}`.
An event of API Gateway never has this member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from common.edge.guard import run_guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.edge.lambda_types import Context, Event, Response

_Service = TypeVar("_Service")

_CHECK_CRASHED = "the check itself failed: see crashed in the log of this version"


def invoke(
    event: dict[str, Any],
    context: Context,
    service: _Service,
    respond: Callable[[Event, Context, _Service], Response],
    failures: Callable[[_Service], list[str]],
) -> Response:
    """Return the response to one event. `failures` lists what the service cannot reach."""
    if "preflight" in event:
        return check(lambda: failures(service), context)
    return respond(event, context, service)


def check(failures: Callable[[], list[str]], context: Context) -> Response:
    """Return the result of the check; a check that raises is a failure, too."""
    return run_guarded(lambda: {"failures": failures()}, context, lambda: {"failures": [_CHECK_CRASHED]})
