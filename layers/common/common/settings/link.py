"""The settings of the functions that call OCPP servers."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, SecretStr

from common.aws import SYSTEMS_MANAGER, AwsError, Client
from common.settings import Settings, SettingsError
from common.transport import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping

_SSM = "ssm:"
_TIMEOUT = 8.0  # seconds with retries; Lambda allows ten for the initialization of a function


class LinkSettings(Settings):
    """``link_servers`` is the JSON of `LinkServers`, or ``ssm:/name`` or ``ssm:/name:version`` of the parameter that
    contains it; times are in seconds.

    ``clock_tolerance`` and ``start_window`` decide which charges in a server's records may belong to an attempt.
    """

    journal_secret: Annotated[SecretStr, Field(min_length=16)]
    link_servers: str = "[]"
    link_timeout: Annotated[float, Field(gt=0, le=25)] = 20.0
    retention_days: Annotated[int, Field(ge=1)] = 90
    clock_tolerance: Annotated[float, Field(ge=0, le=3600)] = 60.0
    start_window: Annotated[float, Field(ge=60, le=3600)] = 600.0
    link_secrets_file: str | None = None

    def link_servers_json(self, environ: Mapping[str, str]) -> str:
        """Return the JSON of `LinkServers`, read from Parameter Store if the setting names a parameter.

        Raises
        ------
        SettingsError
            The parameter cannot be read.
        """
        if not self.link_servers.startswith(_SSM):
            return self.link_servers
        name = self.link_servers.removeprefix(_SSM)
        try:
            return _parameter(name, environ)
        except (AwsError, ValueError) as error:
            raise SettingsError(f"LINK_SERVERS: the parameter {name} cannot be read: {error}") from error


def _parameter(name: str, environ: Mapping[str, str]) -> str:
    """Return the value of a parameter. The connection is closed again: a snapshot must not contain it.

    Raises
    ------
    AwsError, ValueError
    """
    with closing(Client.of(SYSTEMS_MANAGER, environ)) as client:
        body = {"Name": name, "WithDecryption": True}
        response = client.call("GetParameter", body, Deadline.after(_TIMEOUT))
    match response:
        case {"Parameter": {"Value": str(value)}}:
            return value
    raise ValueError("no value")
