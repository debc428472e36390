"""Bounded HTTP over the standard library: every wait ends at a deadline, every answer has a size.

No client's own time-out stops a server that sends a byte a second, and the promise of this service rests on
knowing whether anything was sent. Both are decided here, once, for the journal and for the charger link.
"""

from transport.deadline import Deadline
from transport.http import (
    BODY_LIMIT,
    Broken,
    Connection,
    NotConnected,
    Response,
    TransportError,
    connect,
    trust,
)

__all__ = [
    "BODY_LIMIT",
    "Broken",
    "Connection",
    "Deadline",
    "NotConnected",
    "Response",
    "TransportError",
    "connect",
    "trust",
]
