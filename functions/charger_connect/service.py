"""What the handler works with, created once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charger_link import REPEATABLE, Circuits, Link, LinkServers
from charger_link.secrets import Secrets
from common.edge.journal_access import open_journal
from common.settings.connect import ConnectSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal import Journal


@dataclass(frozen=True, slots=True)
class Service:
    """The settings of a deployment, and the objects that they configure."""

    journal: Journal
    link: Link
    circuits: Circuits
    servers: LinkServers
    secret: bytes
    link_timeout: float
    default_server: str | None = None
    paused: bool = False
    callback_base_url: str | None = None
    clock_tolerance: float = 60.0
    start_window: float = 600.0

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Service:
        """Return the service that `environ` describes; nothing is connected yet.

        Raises
        ------
        SettingsError, LinkServersError, CredentialsError
        """
        settings = ConnectSettings.read(environ)
        circuits = Circuits()
        return cls(
            journal=open_journal(
                settings, environ, retention_days=settings.retention_days, repeatable=REPEATABLE
            ),
            link=Link(circuits, Secrets.of(settings.link_secrets_file, environ)),
            circuits=circuits,
            servers=LinkServers.parse(settings.link_servers_json(environ)),
            secret=settings.journal_secret.get_secret_value().encode(),
            link_timeout=settings.link_timeout,
            default_server=settings.default_link_server,
            paused=settings.paused,
            callback_base_url=settings.callback_base_url,
            clock_tolerance=settings.clock_tolerance,
            start_window=settings.start_window,
        )

    def close(self) -> None:
        """Close the connection; the next request connects again."""
        self.journal.close()
