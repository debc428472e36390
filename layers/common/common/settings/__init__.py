"""The settings of a deployment, read from the environment once, when a function starts: one model per function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(ValueError):
    """Some settings are not valid; the message names each variable and what it should be."""


class Environment(BaseModel):
    """Base of the models. A blank variable is read as one that is not set."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=str.upper, hide_input_in_errors=True, defer_build=True
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings in `environ`.

        Raises
        ------
        SettingsError
        """
        variables: dict[str, Any] = {name: value for name, value in environ.items() if value.strip()}
        try:
            return cls.model_validate(variables)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
            )
            raise SettingsError(f"The environment of the function cannot be used: {faults}") from None


class Settings(Environment):
    """Settings of every function that uses the journal. The endpoint is only checked here: `aws.Service.endpoint` reads it."""

    table_name: Annotated[str, Field(min_length=1)]
    aws_region: Annotated[str, Field(min_length=1)]
    aws_endpoint_url_dynamodb: Annotated[str, Field(pattern=r"^https?://")] | None = None
