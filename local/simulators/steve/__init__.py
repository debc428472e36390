"""A simulator of SteVe: remote starts and stops, and its transactions, over its REST API, for charge points of OCPP 1.6.

The responses were observed on 3.14.1 and on commit 38b299a149c6. SOAP charge points are not simulated.
"""

from __future__ import annotations

from local.simulators.steve.server import NOT_ELIGIBLE, START, STOP, TRANSACTIONS, Steve

__all__ = ["MODELS", "NOT_ELIGIBLE", "START", "STOP", "TRANSACTIONS", "Steve"]

# What `python -m local.simulators` can run, by name; the dialect's own name is the one that `make run` starts.
MODELS = {"steve": Steve}
