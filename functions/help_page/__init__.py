"""GET /docs: the API's help page, where a deployment serves it (ServeDocs)."""
