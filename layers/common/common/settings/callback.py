"""The settings of the callback function."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from common.settings import Settings


class CallbackSettings(Settings):
    """``journal_secret`` is the one of the connect function, which signs the paths of callbacks with it."""

    journal_secret: Annotated[SecretStr, Field(min_length=16)]
