"""What the handler works with, put together once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.journal import DynamoDB, Journal
from common.settings import Settings
from common.transport.credentials import from_environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Service:
    """The journal, for reading."""

    journal: Journal

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Service:
        """The service that `environ` describes; nothing is connected yet.

        Raises
        ------
        SettingsError, CredentialsError
        """
        settings = Settings.read(environ)
        dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.aws_region, from_environment(environ))
        return cls(Journal(dynamodb, settings.table_name))
