"""uv uses the index and the certificate authority that pip is configured with."""

from __future__ import annotations

import os
import ssl
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(
    not (ROOT / ".venv/bin/uv").exists(), reason="needs .venv, as make test has it"
)


class Mirror(HTTPServer):
    """An empty index; `requested` are the paths of the requests."""

    requested: list[str]

    class Handler(BaseHTTPRequestHandler):
        server: Mirror

        def do_GET(self) -> None:
            self.server.requested.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass


@contextmanager
def mirror(authority: trustme.CA) -> Iterator[Mirror]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Mirror(("127.0.0.1", 0), Mirror.Handler) as server:
        server.requested = []
        # The handshake happens at the first read: a failed one must not end the server.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def look_up(package: str, folder: Path, **settings: str) -> None:
    """Let uv look for a package. Its exit code means nothing, since the index is empty."""
    bare = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    subprocess.run(
        [
            ROOT / "scripts/uv",
            ROOT / ".venv",
            "pip",
            "install",
            "--no-config",
            "--no-cache",
            "--dry-run",
            package,
        ],
        env=bare
        | {"HOME": str(folder), "VIRTUAL_ENV": str(ROOT / ".venv"), "UV_HTTP_RETRIES": "0"}
        | settings,
        capture_output=True,
    )


@pytest.mark.parametrize("by", ["environment", "file"])
def test_uv_uses_the_index_and_the_authority_of_pip(tmp_path: Path, by: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with mirror(authority) as server:
        index = f"https://127.0.0.1:{server.server_port}/simple"
        if by == "environment":
            look_up("nowhere", tmp_path, PIP_INDEX_URL=index, PIP_CERT=f"{tmp_path}/authority.pem")
        else:
            path = tmp_path / "pip.conf"
            path.write_text(f"[global]\nindex-url = {index}\ncert = {tmp_path}/authority.pem\n")
            look_up("nowhere", tmp_path, PIP_CONFIG_FILE=str(path))
    assert server.requested == ["/simple/nowhere/"]


def test_the_settings_of_uv_take_precedence(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with mirror(authority) as server:
        index = f"https://127.0.0.1:{server.server_port}/simple"
        look_up(
            "nowhere",
            tmp_path,
            PIP_INDEX_URL="https://127.0.0.1:9/simple",
            PIP_CERT=f"{tmp_path}/missing.pem",
            UV_DEFAULT_INDEX=index,
            SSL_CERT_FILE=f"{tmp_path}/authority.pem",
        )
    assert server.requested == ["/simple/nowhere/"]


def test_an_authority_that_is_not_configured_is_not_trusted(tmp_path: Path) -> None:
    with mirror(trustme.CA()) as server:
        look_up("nowhere", tmp_path, PIP_INDEX_URL=f"https://127.0.0.1:{server.server_port}/simple")
    assert server.requested == []
