"""Where a measured function finds its table, its OCPP server and its secret: in the stub servers of `stub_servers.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.programs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENTRY = {"network": "127.0.0.0/8", "ports": ["1-65535"], "scheme": "http"}
_SECRET = "steve"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The ports on 127.0.0.1 of the table, of the OCPP server and of the secrets."""

    table: int
    link: int
    secrets: int

    def variables(self) -> dict[str, str]:
        return variables(f"http://127.0.0.1:{self.table}", "attempts")

    def variables_with_secret(self) -> dict[str, str]:
        """Return the variables of a function whose OCPP server has a secret; the peers read its name from LINK_SECRET."""
        return {
            **self.variables(),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://127.0.0.1:{self.secrets}",
            "LINK_SERVERS": json.dumps([{**_ENTRY, "secret": _SECRET}]),
            "LINK_SECRET": _SECRET,
        }


def variables(table_url: str, table_name: str) -> dict[str, str]:
    """Return the environment variables of a function that uses this table and may call OCPP servers on this machine."""
    return {
        "TABLE_NAME": table_name,
        "AWS_ENDPOINT_URL_DYNAMODB": table_url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "JOURNAL_SECRET": "a secret for benchmarks alone",
        "LINK_SERVERS": json.dumps([_ENTRY]),
    }


@contextmanager
def stub_endpoints() -> Iterator[Endpoints]:
    """Run the stub servers in a process of their own."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stub_servers"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Endpoints(*map(int, process.stdout.readline().split()))
        finally:
            process.kill()
