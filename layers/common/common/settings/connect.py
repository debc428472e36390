"""The settings of the connect function."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from common.settings import Settings

_SSM = "ssm:"


class ConnectSettings(Settings):
    """``link_servers`` is the JSON of `LinkServers`, or ``ssm:/name`` of the parameter that contains it; times are in seconds."""

    journal_secret: Annotated[SecretStr, Field(min_length=16)]
    link_servers: str = "[]"
    link_timeout: Annotated[float, Field(gt=0, le=25)] = 20.0
    default_link_server: str | None = None
    retention_days: Annotated[int, Field(ge=1)] = 90
    paused: bool = False
    link_secrets_file: str | None = None
    callback_base_url: Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^?#]*[^/?#])?$")] | None = None

    def link_servers_json(self) -> str:
        """Return the JSON of `LinkServers`, read from Parameter Store if the setting names a parameter."""
        if not self.link_servers.startswith(_SSM):
            return self.link_servers
        # Imported here: it imports boto3, which takes longer than the rest of a cold start.
        from aws_lambda_powertools.utilities import parameters

        return str(parameters.get_parameter(self.link_servers.removeprefix(_SSM), decrypt=True))
