"""The settings of the functions that call OCPP servers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from common.settings import Settings

_SSM = "ssm:"


class LinkSettings(Settings):
    """``link_servers`` is the JSON of `LinkServers`, or ``ssm:/name`` of the parameter that contains it; times are in seconds.

    ``clock_tolerance`` and ``start_window`` decide which charges in a server's records may belong to an attempt.
    """

    journal_secret: Annotated[SecretStr, Field(min_length=16)]
    link_servers: str = "[]"
    link_timeout: Annotated[float, Field(gt=0, le=25)] = 20.0
    retention_days: Annotated[int, Field(ge=1)] = 90
    clock_tolerance: Annotated[float, Field(ge=0, le=3600)] = 60.0
    start_window: Annotated[float, Field(ge=60, le=3600)] = 600.0
    link_secrets_file: str | None = None

    def link_servers_json(self) -> str:
        """Return the JSON of `LinkServers`, read from Parameter Store if the setting names a parameter."""
        if not self.link_servers.startswith(_SSM):
            return self.link_servers
        # Imported here: it imports boto3, which takes longer than the rest of a cold start.
        from aws_lambda_powertools.utilities import parameters

        return str(parameters.get_parameter(self.link_servers.removeprefix(_SSM), decrypt=True))
