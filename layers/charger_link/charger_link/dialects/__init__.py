"""One module per kind of OCPP server, and the registry of them. docs/dialects.md describes how to add one."""
