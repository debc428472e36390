"""Find the handler of a request by its route key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from common.edge.replies import Reply
from common.wire import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from common.edge.call import Call

_Service = TypeVar("_Service")


def dispatch(call: Call, routes: Mapping[str, Callable[[Call, _Service], Reply]], service: _Service) -> Reply:
    """Return the reply of the route's handler, or the problem that it raised."""
    try:
        return routes[call.route](call, service)
    except ProblemError as error:
        return Reply.from_error(error)
