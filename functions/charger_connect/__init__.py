"""POST /api/v1/ocpp/charger-connect: connect a driver's token to a charger."""
