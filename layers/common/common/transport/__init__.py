"""An HTTP client over sockets with limits: every wait ends at a deadline, and every response has a maximum size.

The timeouts of common clients do not stop a server that sends one byte a second. The service also has to know whether
a request was sent, because only then can a charge have started. The journal and the charger link use this client.
"""

from common.transport.deadline import Deadline
from common.transport.http import (
    BODY_LIMIT,
    Connection,
    IncompleteResponse,
    NotConnected,
    Response,
    TransportError,
    connect,
    load_tls_context,
)

__all__ = [
    "BODY_LIMIT",
    "Connection",
    "Deadline",
    "IncompleteResponse",
    "NotConnected",
    "Response",
    "TransportError",
    "connect",
    "load_tls_context",
]
