"""What the tests of the built artefact share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end import emulator

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def artefact() -> Path:
    """The directory of the artefact, built for this machine. REQUIRE_ARTEFACT=1 makes it an error where it can not run."""
    reason = emulator.missing()
    if reason and os.environ.get("REQUIRE_ARTEFACT") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return emulator.build()
