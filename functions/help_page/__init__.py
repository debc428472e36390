"""GET /docs: the API's help page, if the deployment serves it (ServeDocs)."""
