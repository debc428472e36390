"""What the handler works with, put together once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.journal import DynamoDB, Journal
from common.settings.callback import CallbackSettings
from common.transport.credentials import from_environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Service:
    """The journal, and the secret under which the paths of callbacks were signed."""

    journal: Journal
    secret: bytes

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Service:
        """The service that `environ` describes; nothing is connected yet.

        Raises
        ------
        SettingsError, CredentialsError
        """
        settings = CallbackSettings.read(environ)
        dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.aws_region, from_environment(environ))
        return cls(
            Journal(dynamodb, settings.table_name), settings.journal_secret.get_secret_value().encode()
        )
