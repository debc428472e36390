"""Simulators of real OCPP servers.

Each sends the REST responses of the server that it models, and is connected to real charge points by WebSocket. So the tests
count the starts that charge points receive.
"""

from __future__ import annotations

from local.simulators.citrineos import CitrineOS
from local.simulators.ocpp_core import OcppCore
from local.simulators.ocpp_cs import OcppCs
from local.simulators.serving import Simulator, serving_simulator
from local.simulators.steve import Steve

__all__ = ["CitrineOS", "OcppCore", "OcppCs", "Simulator", "Steve", "serving_simulator"]
