"""Generator of the API documentation: writes `docs/openapi.yaml` and the help page from the code.

`python -m apidoc` (make docs) writes both files. A test fails if a committed file differs from the generated one.
"""
