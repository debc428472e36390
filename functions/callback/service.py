"""What the handler works with, created once per process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from common.edge.journal_access import open_journal
from common.settings.callback import CallbackSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.journal import Journal


class Service(NamedTuple):
    """The journal, and the secret with which the paths of callbacks are signed."""

    journal: Journal
    secret: bytes

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Service:
        """Return the service that `environ` describes; nothing is connected yet.

        Raises
        ------
        SettingsError, CredentialsError
        """
        settings = CallbackSettings.read(environ)
        return cls(open_journal(settings, environ), settings.journal_secret.get_secret_value().encode())
