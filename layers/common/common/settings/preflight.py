"""The settings of the preflight function."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from common.settings import Environment


def _names(given: object) -> object:
    return tuple(given.split(",")) if isinstance(given, str) else given


class PreflightSettings(Environment):
    """``versions`` are the ARNs of the new versions, separated by commas."""

    versions: Annotated[tuple[str, ...], BeforeValidator(_names), Field(min_length=1)]
