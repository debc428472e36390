"""The charge points of the local stack. They use OCPP over real WebSockets."""

from __future__ import annotations

from local.chargers.behaviours import Behaviour, Reaction, unusual, usual
from local.chargers.chargepoint import ChargePoint
from local.chargers.fleet import charging
from local.chargers.messages import Start

__all__ = ["Behaviour", "ChargePoint", "Reaction", "Start", "charging", "unusual", "usual"]
