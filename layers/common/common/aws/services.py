"""The AWS services that the functions call, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# Domain of the endpoints, by the prefix of the region; all other regions have amazonaws.com.
_DOMAINS = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
_ALL_SERVICES = "AWS_ENDPOINT_URL"


class Service(NamedTuple):
    """A service that speaks the JSON protocol.

    Attributes
    ----------
    name
        Its name in signatures and host names.
    target
        What precedes the operation in the header X-Amz-Target.
    version
        Of the protocol: "1.0" or "1.1".
    variable
        The environment variable that replaces its endpoint.
    """

    name: str
    target: str
    version: str
    variable: str

    def endpoint(self, region: str, environ: Mapping[str, str]) -> str:
        """Return the URL of the service in `region`, or the one that `environ` sets, as AWS's own clients do.

        https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html

        Raises
        ------
        ValueError
            The variable is not an HTTP URL; the message names it.
        """
        for variable in (self.variable, _ALL_SERVICES):
            if url := environ.get(variable, "").strip():
                if not url.startswith(("https://", "http://")):
                    raise ValueError(f"{variable}: begin it with https:// or http://")
                return url
        domain = next(
            (domain for prefix, domain in _DOMAINS.items() if region.startswith(prefix)), "amazonaws.com"
        )
        return f"https://{self.name}.{region}.{domain}"


DYNAMODB = Service("dynamodb", "DynamoDB_20120810", "1.0", "AWS_ENDPOINT_URL_DYNAMODB")
SECRETS_MANAGER = Service("secretsmanager", "secretsmanager", "1.1", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
SYSTEMS_MANAGER = Service("ssm", "AmazonSSM", "1.1", "AWS_ENDPOINT_URL_SSM")
