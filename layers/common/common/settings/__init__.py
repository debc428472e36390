"""What a deployment sets, read from the environment once, at start: one model per function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where a partition's endpoints end; all others end with amazonaws.com.
_DOMAINS = {"cn-": "amazonaws.com.cn"}


class SettingsError(ValueError):
    """A setting cannot be used; names every variable that is wrong, and what it should be."""


class Environment(BaseModel):
    """What is read from the environment. A blank variable counts as one that is not set."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=str.upper, hide_input_in_errors=True, defer_build=True
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """The settings in `environ`.

        Raises
        ------
        SettingsError
        """
        given: dict[str, Any] = {name: value for name, value in environ.items() if value.strip()}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
            )
            raise SettingsError(f"The environment of the function cannot be used: {faults}") from None


class Settings(Environment):
    """What every function needs that works on the journal."""

    table_name: Annotated[str, Field(min_length=1)]
    aws_region: Annotated[str, Field(min_length=1)]
    aws_endpoint_url_dynamodb: Annotated[str, Field(pattern=r"^https?://")] | None = None

    @property
    def dynamodb_endpoint(self) -> str:
        domain = next(
            (end for start, end in _DOMAINS.items() if self.aws_region.startswith(start)), "amazonaws.com"
        )
        return self.aws_endpoint_url_dynamodb or f"https://dynamodb.{self.aws_region}.{domain}"
