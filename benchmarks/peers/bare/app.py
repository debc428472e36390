"""The same job with boto3 and json only: no validation, no logs, no metrics, no XML."""

import json
import os
import time
import urllib.request
from base64 import b64encode
from functools import cache

import boto3
from botocore.exceptions import ClientError

TABLE = os.environ["TABLE_NAME"]
SECRET = os.environ.get("LINK_SECRET")
dynamodb = boto3.client("dynamodb")


def handler(event, _context):
    request = json.loads(event["body"])
    now = int(time.time())
    try:
        dynamodb.put_item(
            TableName=TABLE,
            Item={
                "id": {"S": request["id"]},
                "chargerId": {"S": request["chargerId"]},
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
            return respond(200, json.loads(old["answer"]["S"]))
        return respond(409, {"message": "in progress"})

    server = f"http://{request['serverIpAddress']}:{request['serverRestApiPort']}"
    call = urllib.request.Request(
        f"{server}/api/v1/chargers/{request['chargerId']}/connections/{request['id']}",
        json.dumps({"tokenId": request["tokenId"], "connectorId": 1}).encode(),
        {"Content-Type": "application/json", **(authorization() if SECRET else {})},
        method="PUT",
    )
    with urllib.request.urlopen(call, timeout=20) as response:
        status = {"id": request["id"], **json.load(response)}

    dynamodb.update_item(
        TableName=TABLE,
        Key={"id": {"S": request["id"]}},
        UpdateExpression="SET #state = :completed, answer = :answer",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":completed": {"S": "completed"}, ":answer": {"S": json.dumps(status)}},
    )
    return respond(200, status)


@cache
def authorization():
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    pair = "{username}:{password}".format_map(json.loads(secret))
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def respond(code, body):
    return {
        "statusCode": code,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
