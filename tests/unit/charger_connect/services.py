"""A service whose table is scripted; everything else is real."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from charger_connect.request import ConnectRequest
from charger_connect.service import Service
from charger_link import Circuits, Link, LinkServers
from charger_link.secrets import Secrets
from common.edge.call import Call
from common.transport import Deadline
from tests.unit.journal.scripted_table import ScriptedTable

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run
ENTRY: dict[str, Any] = {"network": "10.0.0.0/8", "ports": [80, 8080], "scheme": "http"}
CALL = Call("POST", "", {}, {}, {}, b"", "alice", "1-a", "00-a", DEADLINE, 1234.5, "https://api.example.com")


def service(*responses: dict[str, Any] | Exception, **changes: Any) -> Service:
    """Return the service; `changes` are its settings, of which ``entries`` are those of LinkServers."""
    entries = changes.pop("entries", [ENTRY])
    circuits = Circuits()
    return Service(
        journal=ScriptedTable(*responses).journal(),
        link=Link(circuits, Secrets(lambda *_: '{"bearer": "x"}')),
        circuits=circuits,
        servers=LinkServers.parse(json.dumps(entries)),
        secret=b"a secret of the test",
        link_timeout=2.0,
        **changes,
    )


def request(**members: Any) -> ConnectRequest:
    """Return a request for a start at 10.0.0.5:8080."""
    named = {"serverIpAddress": "10.0.0.5", "serverRestApiPort": 8080}
    return ConnectRequest(
        **{"id": UUID(ID), "chargerId": "CP-1", "tokenId": "04A2B3C4D5E6", **named, **members}
    )


NO_SERVER: dict[str, Any] = {"serverIpAddress": None, "serverRestApiPort": None}
