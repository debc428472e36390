"""The guard of every function: an unexpected exception becomes a safe response, a log line and two metrics.

Lambda's runtime logs the message of an exception that a handler raises, and a message can hold a driver's token.
So no exception leaves a guarded handler, and the log has its types and places only.
What fails while a function starts is not guarded: no request has been read by then, and the operator needs the message.
"""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, ParamSpec

from aws_lambda_powertools.logging import Logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate

    from common.edge.lambda_types import Context, Event, Response

_Rest = ParamSpec("_Rest")

_log = Logger(utc=True, json_deserializer=str)
_MAX_CAUSES = 5


class Crashed(Exception):
    """Raised instead of an exception for which no response could be made. Its message is a constant."""

    def __init__(self) -> None:
        super().__init__("see crashed in the log")


def guarded(
    crash_response: Callable[[Event], Response],
) -> Callable[
    [Callable[Concatenate[Event, Context, _Rest], Response]],
    Callable[Concatenate[Event, Context, _Rest], Response],
]:
    """Decorate a function of an event and a context: if it raises, `crash_response` makes the response from the event."""

    def decorate(
        respond: Callable[Concatenate[Event, Context, _Rest], Response],
    ) -> Callable[Concatenate[Event, Context, _Rest], Response]:
        @wraps(respond)
        def safely(event: Event, context: Context, /, *rest: _Rest.args, **named: _Rest.kwargs) -> Response:
            return run_guarded(
                lambda: respond(event, context, *rest, **named), context, lambda: crash_response(event)
            )

        return safely

    return decorate


def run_guarded(
    work: Callable[[], Response], context: Context, crash_response: Callable[[], Response] | None = None
) -> Response:
    """Return what `work` returns; if it raises, what `crash_response` returns.

    Raises
    ------
    Crashed
        `work` raised, and there is no `crash_response` or it raised as well. It has neither cause nor context.
    """
    for step in (work, crash_response):
        if step is None:
            continue
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - the last line of defence
            crash = error
        _record(
            crash, context
        )  # outside of the handler, so that nothing that is raised here has the crash as its context
    raise Crashed


def causes(error: BaseException | None) -> list[dict[str, Any]]:
    """Return the types and places of an exception and of its causes; never a message or a value."""
    found: list[dict[str, Any]] = []
    while error is not None and len(found) < _MAX_CAUSES:
        places = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)
        ]
        found.append({"type": type(error).__name__, "places": places})
        error = error.__cause__ or error.__context__
    return found


def _record(error: Exception, context: Context) -> None:
    """Log a crash and count it. Neither may fail the invocation, and a failure to count is logged like a crash."""
    # Lambda's own log lines and `claimed` have the request id, too, so that they can be read together.
    request_id = getattr(context, "aws_request_id", None)
    with suppress(Exception):
        _log.error("crashed", extra={"causes": causes(error), "requestId": request_id})
    try:
        # Imported only here: most functions never need it, and it costs a cold start some milliseconds.
        from common.edge.metrics import Record

        record = Record(context)
        record.count("Crashes")
        record.fail()
        record.flush()
    except Exception as failure:  # noqa: BLE001 - as above
        with suppress(Exception):
            _log.error("crash not counted", extra={"causes": causes(failure), "requestId": request_id})
