"""The same job as Powertools' documentation shows it: resolver with validation, Logger, Metrics, Tracer, idempotency.

The idempotency utility's record is the claim. It cannot be queried by charger, so a boto3 resource writes the attempt as a
second item. The utility then completes its own record, which makes three writes instead of two.
"""

import os
import time
from uuid import UUID

import boto3
import urllib3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer
from aws_lambda_powertools.utilities.parameters import get_secret
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

logger = Logger()
metrics = Metrics()
tracer = Tracer()
app = APIGatewayHttpResolver(enable_validation=True)
http = urllib3.PoolManager()
attempts = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
persistence = DynamoDBPersistenceLayer(table_name=os.environ["TABLE_NAME"])
SECRET = os.environ.get("LINK_SECRET")
config = IdempotencyConfig(event_key_jmespath="id", expires_after_seconds=90 * 86400)


class ConnectRequest(BaseModel):
    id: UUID
    chargerId: str
    tokenId: str
    serverIpAddress: str
    serverRestApiPort: int


class Status(BaseModel):
    id: UUID
    chargerId: str
    connectorId: int
    errorCode: str
    status: str
    info: str | None = None


def authorization() -> dict[str, str]:
    secret = get_secret(SECRET, transform="json", max_age=3600)
    return urllib3.make_headers(basic_auth="{username}:{password}".format_map(secret))


@idempotent_function(
    data_keyword_argument="request",
    config=config,
    persistence_store=persistence,
    output_serializer=PydanticSerializer(model=Status),
)
@tracer.capture_method
def connect(request: ConnectRequest) -> Status:
    server = f"http://{request.serverIpAddress}:{request.serverRestApiPort}"
    response = http.request(
        "PUT",
        f"{server}/api/v1/chargers/{request.chargerId}/connections/{request.id}",
        json={"tokenId": request.tokenId, "connectorId": 1},
        headers=authorization() if SECRET else None,
        timeout=20,
        retries=False,
    )
    if response.status != 200:
        raise RuntimeError(f"the OCPP server returned {response.status}")
    status = Status(id=request.id, **response.json())
    now = int(time.time())
    attempts.put_item(
        Item={
            "id": str(request.id),
            "chargerId": request.chargerId,
            "createdAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "state": "completed",
            "expiresAt": now + 90 * 86400,
            "answer": status.model_dump(mode="json"),
        }
    )
    return status


@app.post("/api/v1/ocpp/charger-connect")
@tracer.capture_method
def charger_connect(request: ConnectRequest) -> Status:
    logger.info("connecting", extra={"id": str(request.id), "chargerId": request.chargerId})
    status = connect(request=request)
    logger.info("connected", extra={"id": str(request.id), "status": status.status})
    metrics.add_metric(name="Attempts", unit=MetricUnit.Count, value=1)
    return status


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict, context: LambdaContext) -> dict:
    config.register_lambda_context(context)
    return app.resolve(event, context)
