from __future__ import annotations

pytest_plugins = ("tests.contract.summary", "tests.hostile.summary")
