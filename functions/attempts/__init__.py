"""GET: read one attempt by its id, or a charger's attempts, newest first."""
