"""The attempt that a request's path names, and the problem if there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.wire import FieldError, ProblemError, make_problem
from common.wire.problems import invalid_request
from common.wire.values import read_guid

if TYPE_CHECKING:
    from common.edge.call import Call


def read_id(call: Call) -> str:
    """Return the id in the path.

    Raises
    ------
    ProblemError
        400: it is not a GUID.
    """
    try:
        return str(read_guid(call.path_parameters["id"]))
    except ValueError as error:
        raise invalid_request(FieldError("id", str(error))) from None


def attempt_unknown() -> ProblemError:
    """Return the problem (404) if the journal has no attempt with the id."""
    detail = "No attempt has this id: either no request with it was accepted, or the attempt is older than the journal's retention."
    return ProblemError(make_problem("attempt-unknown", detail))
