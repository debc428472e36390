"""Where a measured function finds its table and its OCPP server: in the stub servers of `stub_servers.py`."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.programs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINK_SERVERS = '[{"network":"127.0.0.0/8","ports":["1-65535"],"scheme":"http"}]'


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The ports on 127.0.0.1 of the table and of the OCPP server."""

    table: int
    link: int

    def variables(self) -> dict[str, str]:
        return variables(f"http://127.0.0.1:{self.table}", "attempts")


def variables(table_url: str, table_name: str) -> dict[str, str]:
    """Return the environment variables of a function that uses this table and may call OCPP servers on this machine."""
    return {
        "TABLE_NAME": table_name,
        "AWS_ENDPOINT_URL_DYNAMODB": table_url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "JOURNAL_SECRET": "a secret for benchmarks alone",
        "LINK_SERVERS": _LINK_SERVERS,
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
