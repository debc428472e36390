"""The settings of the connect function."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.settings.link import LinkSettings


class ConnectSettings(LinkSettings):
    """``default_link_server`` is the server of a request that names none; ``paused`` refuses every start."""

    default_link_server: str | None = None
    paused: bool = False
    callback_base_url: Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^?#]*[^/?#])?$")] | None = None
