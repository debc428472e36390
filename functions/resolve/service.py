"""What the handler works with, created once per process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from charger_link import Circuits, Link, LinkServers
from charger_link.secrets import Secrets
from common.edge.journal_access import open_journal
from common.journal.evidence import Window
from common.settings.resolve import ResolveSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal import Journal


class Service(NamedTuple):
    """The journal, its secret, the OCPP servers that may be called, and when a charge may have begun."""

    journal: Journal
    secret: bytes
    link: Link
    circuits: Circuits
    servers: LinkServers
    window: Window

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Service:
        """Return the service that `environ` describes; nothing is connected yet.

        Raises
        ------
        SettingsError, LinkServersError, CredentialsError
        """
        settings = ResolveSettings.read(environ)
        circuits = Circuits()
        return cls(
            journal=open_journal(settings, environ, retention_days=settings.retention_days),
            secret=settings.journal_secret.get_secret_value().encode(),
            link=Link(circuits, Secrets.of(settings.link_secrets_file, environ)),
            circuits=circuits,
            servers=LinkServers.parse(settings.link_servers_json(environ)),
            window=Window(settings.clock_tolerance, settings.start_window),
        )

    def close(self) -> None:
        """Close the connections to the table."""
        self.journal.close()
