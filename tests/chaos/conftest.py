from __future__ import annotations

from tests.end_to_end.conftest import artefact

__all__ = ["artefact"]
