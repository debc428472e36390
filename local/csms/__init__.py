"""A local OCPP server: the native dialect over REST, OCPP 1.6J and 2.0.1 over WebSocket."""

from __future__ import annotations

from local.csms.server import Csms, Options, serving
from local.listeners import PortTaken

__all__ = ["Csms", "Options", "PortTaken", "serving"]
