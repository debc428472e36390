"""The wire contract: reading requests, choosing a format, writing answers and problem documents.

Nothing here knows of chargers, tables or networks; every function is pure.
"""

from __future__ import annotations

from wire.media import MediaType, negotiate
from wire.messages import OcppChargerConnectRequest, OcppStatusResponse
from wire.problems import PROBLEM_TYPES, FieldError, Problem, ProblemType, Refused, problem
from wire.reading import MAX_BODY_BYTES, read_request
from wire.writing import write

__all__ = [
    "MAX_BODY_BYTES",
    "PROBLEM_TYPES",
    "FieldError",
    "MediaType",
    "OcppChargerConnectRequest",
    "OcppStatusResponse",
    "Problem",
    "ProblemType",
    "Refused",
    "negotiate",
    "problem",
    "read_request",
    "write",
]
