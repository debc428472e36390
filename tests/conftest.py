from __future__ import annotations

pytest_plugins = ("tests.redaction", "tests.contract.summary", "tests.hostile.summary")
