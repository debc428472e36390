"""The same job with FastAPI behind Mangum, and boto3's client."""

import json
import logging
import os
import time
from functools import cache
from uuid import UUID

import boto3
import urllib3
from botocore.exceptions import ClientError
from fastapi import FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel

logging.getLogger().setLevel(logging.INFO)
log = logging.getLogger("charger-connect")
app = FastAPI()
http = urllib3.PoolManager()
dynamodb = boto3.client("dynamodb")
TABLE = os.environ["TABLE_NAME"]
SECRET = os.environ.get("LINK_SECRET")


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


@cache
def authorization() -> dict[str, str]:
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    return urllib3.make_headers(basic_auth="{username}:{password}".format_map(json.loads(secret)))


@app.post("/api/v1/ocpp/charger-connect")
def charger_connect(request: ConnectRequest) -> Status:
    now = int(time.time())
    try:
        dynamodb.put_item(
            TableName=TABLE,
            Item={
                "id": {"S": str(request.id)},
                "chargerId": {"S": request.chargerId},
                "createdAt": {"S": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))},
                "state": {"S": "pending"},
                "expiresAt": {"N": str(now + 90 * 86400)},
            },
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        old = error.response["Item"]
        if old["state"]["S"] == "completed":
            return Status.model_validate_json(old["answer"]["S"])
        raise HTTPException(409, "in progress") from error
    log.info("claimed %s", request.id)

    server = f"http://{request.serverIpAddress}:{request.serverRestApiPort}"
    response = http.request(
        "PUT",
        f"{server}/api/v1/chargers/{request.chargerId}/connections/{request.id}",
        body=json.dumps({"tokenId": request.tokenId, "connectorId": 1}),
        headers={"Content-Type": "application/json", **(authorization() if SECRET else {})},
        timeout=20,
        retries=False,
    )
    if response.status != 200:
        raise HTTPException(502, "the OCPP server returned an error")
    status = Status(id=request.id, **response.json())

    dynamodb.update_item(
        TableName=TABLE,
        Key={"id": {"S": str(request.id)}},
        UpdateExpression="SET #state = :completed, answer = :answer",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={
            ":completed": {"S": "completed"},
            ":answer": {"S": status.model_dump_json()},
        },
    )
    log.info("settled %s", request.id)
    return status


handler = Mangum(app, lifespan="off")
