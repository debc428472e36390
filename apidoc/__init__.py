"""The API's description of itself: `docs/openapi.yaml` and the help page, generated from the code.

`python -m apidoc` (make docs) writes both; a test fails when what is committed is something else.
"""
