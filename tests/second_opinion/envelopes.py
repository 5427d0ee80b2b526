"""Events in AWS's own envelopes: the samples that come with SAM CLI, with what is ours in them."""

import base64
import hashlib
import json
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import samcli

from resolved import ACCOUNT, PARTITION, REGION

SAMPLES = Path(samcli.__file__).parent / "lib" / "generated_sample_events" / "events"
EVERYWHERE = {"account_id": ACCOUNT, "region": REGION, "partition": PARTITION, "dns_suffix": "amazonaws.com"}


def sample(name: str, **places: str) -> Any:
    text = (SAMPLES / name).read_text()
    for place, value in (EVERYWHERE | places).items():
        text = text.replace("{{{" + place + "}}}", value)
    return json.loads(text)


def api_request(
    method: str, path: str, route: str, parameters: dict[str, str], headers: dict[str, str], body: Any = None
) -> dict:
    """API Gateway's, of an HTTP API with payload format 2.0; the body as it comes where it is binary, in base64. A body is JSON,
    unless it is bytes, whose type is among the headers."""
    path, _, query = path.partition("?")
    event = sample("apigateway/HttpApi.json", path=path.lstrip("/"), method=method, stage="$default", body="")
    # What an API without authorizer, cookies and variables of a stage's has not.
    for name in ("cookies", "stageVariables", "body", "pathParameters", "queryStringParameters"):
        del event[name]
    del event["requestContext"]["authorizer"], event["requestContext"]["authentication"]
    event["routeKey"] = event["requestContext"]["routeKey"] = route
    event["requestContext"]["requestId"] = base64.b64encode(uuid.uuid4().bytes[:11]).decode()
    event["requestContext"]["timeEpoch"] = int(time.time() * 1000)
    event["rawQueryString"] = query
    event["headers"] = {"host": event["requestContext"]["domainName"], "x-forwarded-proto": "https"} | headers
    event["isBase64Encoded"] = body is not None
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if parameters:
        event["pathParameters"] = parameters
    # It takes cookies out of the headers.
    if cookie := event["headers"].pop("cookie", None):
        event["cookies"] = cookie.split("; ")
    if body is not None:
        if not isinstance(body, bytes):
            event["headers"]["content-type"] = "application/json"
            body = json.dumps(body).encode()
        event["body"] = base64.b64encode(body).decode()
    return event


def stream_batch(rows: list[dict], keys: tuple[str, ...], stream_arn: str) -> dict:
    """New rows of a table, as its stream brings them."""
    record = sample("dynamodb/DynamoDBUpdate.json", table="-")["Records"][0]
    records = []
    for number, row in enumerate(rows):
        change = record["dynamodb"] | {
            "Keys": {name: row[name] for name in keys},
            "NewImage": row,
            "ApproximateCreationDateTime": int(time.time()),
            "SequenceNumber": str(4421584500000000017450439091 + number),
            "SizeBytes": len(json.dumps(row)),
            "StreamViewType": "NEW_IMAGE",
        }
        about = {"eventID": uuid.uuid4().hex, "eventSourceARN": stream_arn, "dynamodb": change}
        records.append(record | about)
    return {"Records": records}


def queue_batch(messages: list[dict], queue_arn: str) -> dict:
    """Messages as they were received from a queue."""
    record = sample("sqs/Sqs.json", body="-", md5_of_body="-", queue_name="-")["Records"][0]
    return {
        "Records": [
            record
            | {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "md5OfBody": hashlib.md5(message["Body"].encode(), usedforsecurity=False).hexdigest(),
                "attributes": {name: str(value) for name, value in message["Attributes"].items()},
                "eventSourceARN": queue_arn,
            }
            for message in messages
        ]
    }


def of_bus(detail_type: str, detail: dict, source: str = "billing") -> dict:
    """EventBridge's: its sample is the timer's, which differs in what it tells alone."""
    event = timer("a-rule")
    return (
        event
        | {"version": "0", "id": str(uuid.uuid4()), "detail-type": detail_type, "source": source, "resources": []}
        | {"detail": detail}
    )


def timer(rule: str) -> dict:
    return sample("cloudwatch/ScheduledEvent.json", rule=rule)
