"""POST /api/v1/ocpp/callbacks/...: an OCPP server sends the charger's answer to a start."""
