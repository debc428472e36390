"""The settings of the resolve function."""

from __future__ import annotations

from common.settings.link import LinkSettings


class ResolveSettings(LinkSettings):
    """It calls the same OCPP servers as the connect function, and starts nothing."""
