"""The types of what Lambda passes to a function, and of what a function returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

Event: TypeAlias = Mapping[str, Any]
Response: TypeAlias = dict[str, Any]


class Context(Protocol):
    """The members of Lambda's context that are used."""

    aws_request_id: str
    function_name: str
    function_version: str

    def get_remaining_time_in_millis(self) -> int: ...
