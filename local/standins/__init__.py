"""Stand-ins for real OCPP servers: each answers over REST exactly as its model does, and keeps real charge points over
WebSocket, so that a start can be counted where it happens."""

from __future__ import annotations

from local.standins.citrineos import CitrineOS
from local.standins.ocpp_core import OcppCore
from local.standins.ocpp_cs import OcppCs
from local.standins.serving import StandIn, keeping
from local.standins.steve import Steve

__all__ = ["CitrineOS", "OcppCore", "OcppCs", "StandIn", "Steve", "keeping"]
