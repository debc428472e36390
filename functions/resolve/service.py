"""What the handler works with, created once per process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from charger_link import Circuits, Link, LinkServers
from charger_link.secrets import Secrets
from common.aws import DYNAMODB
from common.aws.credentials import from_environment
from common.edge.journal_access import open_journal
from common.journal import DynamoDB
from common.settings.resolve import ResolveSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal import Journal


class Service(NamedTuple):
    """The journal, the table whose index is read, and the OCPP servers that may be called."""

    journal: Journal
    dynamodb: DynamoDB
    table: str
    link: Link
    servers: LinkServers

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Service:
        """Return the service that `environ` describes; nothing is connected yet.

        Raises
        ------
        SettingsError, LinkServersError, CredentialsError
        """
        settings = ResolveSettings.read(environ)
        return cls(
            journal=open_journal(settings, environ, retention_days=settings.retention_days),
            dynamodb=DynamoDB(
                DYNAMODB.endpoint(settings.aws_region, environ),
                settings.aws_region,
                from_environment(environ),
            ),
            table=settings.table_name,
            link=Link(Circuits(), Secrets.of(settings.link_secrets_file, environ)),
            servers=LinkServers.parse(settings.link_servers_json(environ)),
        )

    def close(self) -> None:
        """Close the connections to the table."""
        self.journal.close()
        self.dynamodb.close()
