"""The local stack: gateway, table, OCPP server and charge points on one machine."""
