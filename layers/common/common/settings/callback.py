"""The settings of the function that takes callbacks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from common.settings import Settings


class CallbackSettings(Settings):
    """``journal_secret`` is the connect function's: it signed the callbacks' paths."""

    journal_secret: Annotated[SecretStr, Field(min_length=16)]
