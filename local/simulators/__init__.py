"""Stand-ins for real OCPP servers: each answers over REST exactly as its model does, and keeps real charge points over
WebSocket, so that a start can be counted where it happens."""

from __future__ import annotations

from local.simulators.citrineos import CitrineOS
from local.simulators.ocpp_core import OcppCore
from local.simulators.ocpp_cs import OcppCs
from local.simulators.serving import StandIn, keeping
from local.simulators.steve import Steve

__all__ = ["CitrineOS", "OcppCore", "OcppCs", "StandIn", "Steve", "keeping"]
