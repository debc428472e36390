"""A client of AWS services that speak the JSON protocol, without the AWS SDK: its import would be most of a cold start.

client       one call, signed, with retries, within a deadline
services     the services that the functions call, and their endpoints
credentials  the credentials that Lambda provides
sigv4        the signature
"""

from common.aws.client import AwsError, Backoff, Client
from common.aws.services import DYNAMODB, SECRETS_MANAGER, SYSTEMS_MANAGER, Service

__all__ = [
    "DYNAMODB",
    "SECRETS_MANAGER",
    "SYSTEMS_MANAGER",
    "AwsError",
    "Backoff",
    "Client",
    "Service",
]
