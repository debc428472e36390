"""A body that is always JSON, at routes that have no other format."""

from __future__ import annotations

import json
from typing import Any

from common.wire import MAX_BODY_BYTES, ProblemError, make_problem
from common.wire.problems import invalid_body


def read_json(body: bytes) -> Any:
    """Return the document in a body.

    Raises
    ------
    ProblemError
        413: the body is too large; 400: it is not JSON.
    """
    if len(body) > MAX_BODY_BYTES:
        raise ProblemError(make_problem("body-too-large", f"The body is over {MAX_BODY_BYTES} bytes."))
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise invalid_body("is not JSON") from None
