"""While a secret is read again, other requests use the one that is known."""

from __future__ import annotations

import json

from charger_link.secrets import Secrets
from common.transport import Deadline


def test_a_request_during_the_second_read_receives_the_known_secret() -> None:
    during: list[dict[str, str]] = []
    reads = 0

    def read(name: str, deadline: Deadline) -> str:
        nonlocal reads
        reads += 1
        if reads == 2:
            during.append(secrets.headers(name, deadline))
        return json.dumps({"bearer": f"token-{min(reads, 2)}"})

    secrets = Secrets(read)
    deadline = Deadline.after(86_400)
    assert secrets.headers("csms", deadline) == {"Authorization": "Bearer token-1"}
    assert secrets.refresh("csms", deadline)
    assert during == [{"Authorization": "Bearer token-1"}]
    assert secrets.headers("csms", deadline) == {"Authorization": "Bearer token-2"}
    assert reads == 2
