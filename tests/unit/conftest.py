"""Unit tests do not use the network: a test that opens a socket fails."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _sockets_off(socket_disabled: None) -> None:
    pass
