"""GET: reading the journal, one attempt by its id or a charger's attempts, newest first."""
