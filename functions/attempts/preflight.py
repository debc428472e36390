"""Before traffic shifts: can this version reach what it needs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.journal import JournalUnavailable
from common.transport import Deadline

if TYPE_CHECKING:
    from attempts.service import Service

_OPERATIONS = ("GetItem", "Query", "BatchGetItem")
_PATIENCE = 10.0  # seconds


def failures(service: Service) -> list[str]:
    """What it cannot reach, in words."""
    try:
        service.journal.check_access(_OPERATIONS, Deadline.after(_PATIENCE))
    except JournalUnavailable as error:
        return [f"table: {error.reason}"]
    return []
