"""The guard of every function: an unexpected exception becomes a safe answer, a log line and two metrics.

Lambda's runtime logs the message of an exception that a handler raises, and a message can hold a driver's token.
So no exception leaves a guarded handler, and the log has its types and places only.
What fails while a function starts is not guarded: no request has been read by then, and the operator needs the message.
"""

from __future__ import annotations

from functools import wraps
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

from aws_lambda_powertools.logging import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Concatenate

    Event = Mapping[str, Any]
    Answer = dict[str, Any]

_Rest = ParamSpec("_Rest")

_log = Logger(utc=True, json_deserializer=str)
_MAX_CAUSES = 5
_CHECK_CRASHED = "the check itself failed: see crashed in the log of this version"


class Context(Protocol):
    """The members of Lambda's context that are used."""

    aws_request_id: str
    function_name: str
    function_version: str

    def get_remaining_time_in_millis(self) -> int: ...


class Crashed(Exception):
    """Raised instead of an exception that no answer could be made of. Its message is a constant."""

    def __init__(self) -> None:
        super().__init__("see crashed in the log")


def guarded(
    answer: Callable[[Event], Answer],
) -> Callable[
    [Callable[Concatenate[Event, Context, _Rest], Answer]],
    Callable[Concatenate[Event, Context, _Rest], Answer],
]:
    """Decorate a function of an event and a context: where it raises, `answer` makes the response from the event."""

    def decorate(
        respond: Callable[Concatenate[Event, Context, _Rest], Answer],
    ) -> Callable[Concatenate[Event, Context, _Rest], Answer]:
        @wraps(respond)
        def safely(event: Event, context: Context, /, *rest: _Rest.args, **named: _Rest.kwargs) -> Answer:
            return run_guarded(
                lambda: respond(event, context, *rest, **named), context, lambda: answer(event)
            )

        return safely

    return decorate


def check(failures: Callable[[], list[str]], context: Context) -> Answer:
    """Return the answer of a new version to the check before traffic shifts; a check that raises is a failure, too."""
    return run_guarded(lambda: {"failures": failures()}, context, lambda: {"failures": [_CHECK_CRASHED]})


def run_guarded(
    work: Callable[[], Answer], context: Context, answer: Callable[[], Answer] | None = None
) -> Answer:
    """Return what `work` returns; where it raises, what `answer` returns.

    Raises
    ------
    Crashed
        `work` raised, and there is no `answer` or it raised as well. It has neither cause nor context.
    """
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the last line of defence
        _record(error, context)
    if answer is not None:
        try:
            return answer()
        except Exception as error:  # noqa: BLE001 - as above
            _record(error, context)
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
    """Log a crash and count it. A failure to count must not hide the crash, so it is logged like one."""
    # What Lambda's own lines and `claimed` have, so that they can be read together.
    request_id = getattr(context, "aws_request_id", None)
    _log.error("crashed", extra={"causes": causes(error), "requestId": request_id})
    try:
        # Imported only here: most functions never need it, and it costs a cold start some milliseconds.
        from common.edge.metrics import Record

        record = Record(context)
        record.count("Crashes")
        record.fail()
        record.flush()
    except Exception as failure:  # noqa: BLE001 - as above
        _log.error("crash not counted", extra={"causes": causes(failure), "requestId": request_id})
