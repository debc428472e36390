"""The HTTP contract: parsing requests, choosing a format, writing responses and problem documents.

Every function is pure, and independent of chargers, tables and networks.
"""

from __future__ import annotations

from common.wire.media import MediaType, negotiate
from common.wire.messages import OcppChargerConnectRequest, OcppStatusResponse
from common.wire.problems import PROBLEM_TYPES, FieldError, Problem, ProblemError, ProblemType, make_problem
from common.wire.reading import MAX_BODY_BYTES, read_request
from common.wire.writing import write_response

__all__ = [
    "MAX_BODY_BYTES",
    "PROBLEM_TYPES",
    "FieldError",
    "MediaType",
    "OcppChargerConnectRequest",
    "OcppStatusResponse",
    "Problem",
    "ProblemError",
    "ProblemType",
    "make_problem",
    "negotiate",
    "read_request",
    "write_response",
]
