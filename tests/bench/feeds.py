"""Events as AWS gives them to the functions: a request, a batch of the stream, a batch of a queue."""

import json
import time
import uuid


def api_request(method: str, path: str, key: str, body: dict, query: str = "") -> dict:
    """API Gateway's event, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "host": "api.example.com",
            "user-agent": "producer/1.0",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "abcdef01",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "producer/1.0",
            },
            "requestId": uuid.uuid4().hex,
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "time": "15/Jan/2026:14:30:00 +0000",
            "timeEpoch": int(time.time() * 1000),
        },
        "body": json.dumps(body, separators=(",", ":")),
        "isBase64Encoded": False,
    }


def stream_batch(rows: list[dict]) -> dict:
    """New rows of the events table, as its stream brings them."""
    return {"Records": [_record(number, row) for number, row in enumerate(rows)]}


def _record(number: int, row: dict) -> dict:
    return {
        "eventID": uuid.uuid4().hex,
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": time.time(),
            "Keys": {name: row[name] for name in ("tenant_id", "id")},
            "NewImage": row,
            "SequenceNumber": str(100000000000000000000 + number),
            "SizeBytes": len(json.dumps(row)),
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/events/stream/2026-01-15T14:30:00.000",
    }


def queue_batch(bodies: list[str], queue_arn: str) -> dict:
    """Messages of a queue."""
    now = str(int(time.time() * 1000))
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": uuid.uuid4().hex,
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": now,
                    "SenderId": "AIDACKCEVSQ6C2EXAMPLE",
                    "ApproximateFirstReceiveTimestamp": now,
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": "us-east-1",
            }
            for body in bodies
        ]
    }
