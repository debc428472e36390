"""Unit tests never reach for the network: whoever opens a socket fails."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _sockets_off(socket_disabled: None) -> None:
    pass
