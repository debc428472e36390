"""POST /api/v1/ocpp/callbacks/...: an OCPP server says later what became of a start."""
