"""What a call needs, as AWS's Service Authorization Reference has it: actions, resources, and the keys of conditions.

An operation that is not written down here is refused, so that no call goes by unjudged."""

import dataclasses
import re
from collections.abc import Iterator

from expressions import partition_of
from resolved import arn
from rights import Need
from statements import Insert
from tables import Tables
from unjudged import Unjudged

LEADING, ATTRIBUTES = "dynamodb:LeadingKeys", "dynamodb:Attributes"
# Operations that need the right of the same name for the queue that they speak to; a batch needs that of one.
QUEUE_ACTIONS = {
    "SendMessage": "SendMessage",
    "SendMessageBatch": "SendMessage",
    "ReceiveMessage": "ReceiveMessage",
    "DeleteMessage": "DeleteMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibility": "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "GetQueueAttributes": "GetQueueAttributes",
}
ACTION_OF_WRITE = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
QUEUE_URL = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com/(\d{12})/([A-Za-z0-9_-]{1,80})")


class Needs:
    """`tables` says which attribute is a table's partition key."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def of(self, service: str, operation: str, request: dict) -> list[Need]:
        told = {
            "dynamodb": self._of_dynamodb,
            "sqs": _of_sqs,
            "scheduler": _of_scheduler,
            "secretsmanager": _of_secrets,
            "events": _of_events,
        }.get(service)
        if told is None:
            raise Unjudged(f"{service}:{operation}")
        return list(told(operation, request))

    def _of_dynamodb(self, operation: str, request: dict) -> Iterator[Need]:
        match operation:
            case "GetItem" | "UpdateItem" | "DeleteItem":
                yield self._on(operation, request["TableName"], [request["Key"]])
            case "PutItem":
                yield self._put(request)
            case "Query":
                yield self._query(request)
            case "BatchGetItem":
                for table, asked in request["RequestItems"].items():
                    yield self._on(operation, table, asked["Keys"])
            case "BatchWriteItem":
                for table, writes in request["RequestItems"].items():
                    yield self._on(operation, table, [_row_of(write) for write in writes])
            case "TransactWriteItems":
                yield from map(self._part, request["TransactItems"])
            case "BatchExecuteStatement":
                yield from map(self._statement, request["Statements"])
            case _:
                raise Unjudged(f"dynamodb:{operation}")

    def _part(self, item: dict) -> Need:
        ((kind, write),) = item.items()
        return self._put(write) if kind == "Put" else self._on(ACTION_OF_WRITE[kind], write["TableName"], [write["Key"]])

    def _statement(self, statement: dict) -> Need:
        insert = Insert.of(statement)
        return self._on("PartiQLInsert", insert.table, [insert.item])

    def _on(self, action: str, table: str, items: list[dict]) -> Need:
        name = self._tables.partition_key(table)
        leading = sorted({str(next(iter(item[name].values()), "")) for item in items if name in item})
        return Need(f"dynamodb:{action}", arn("dynamodb", f"table/{table}"), ((LEADING, tuple(leading)),))

    def _put(self, write: dict) -> Need:
        need = self._on("PutItem", write["TableName"], [write["Item"]])
        return dataclasses.replace(need, keys=(*need.keys, (ATTRIBUTES, tuple(sorted(write["Item"])))))

    def _query(self, request: dict) -> Need:
        table, index = request["TableName"], request.get("IndexName")
        value = partition_of(request, self._tables.partition_key(table, index))
        resource = arn("dynamodb", f"table/{table}" + (f"/index/{index}" if index else ""))
        return Need("dynamodb:Query", resource, ((LEADING, (value,)),))


def _row_of(write: dict) -> dict:
    """What one write of a BatchWriteItem names."""
    return write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]


def queue_arn(url: str) -> str:
    """Of the queue at a URL, as AWS has them."""
    found = QUEUE_URL.fullmatch(url)
    if found is None:
        raise Unjudged(f"a queue at {url}")
    return arn("sqs", found[3])


def _of_sqs(operation: str, request: dict) -> Iterator[Need]:
    if operation not in QUEUE_ACTIONS:
        raise Unjudged(f"sqs:{operation}")
    yield Need(f"sqs:{QUEUE_ACTIONS[operation]}", queue_arn(request["QueueUrl"]))


def _of_scheduler(operation: str, request: dict) -> Iterator[Need]:
    if operation != "CreateSchedule":
        raise Unjudged(f"scheduler:{operation}")
    yield Need("scheduler:CreateSchedule", arn("scheduler", f"schedule/{request.get('GroupName', 'default')}/{request['Name']}"))
    yield Need("iam:PassRole", request["Target"]["RoleArn"], (("iam:PassedToService", ("scheduler.amazonaws.com",)),))


def _of_secrets(operation: str, request: dict) -> Iterator[Need]:
    if operation != "GetSecretValue":
        raise Unjudged(f"secretsmanager:{operation}")
    yield Need("secretsmanager:GetSecretValue", request["SecretId"])


def _of_events(operation: str, request: dict) -> Iterator[Need]:
    if operation != "PutEvents":
        raise Unjudged(f"events:{operation}")
    for bus, source, detail_type in sorted({_entry(entry) for entry in request["Entries"]}):
        keys = (("events:source", (source,)), ("events:detail-type", (detail_type,)))
        yield Need("events:PutEvents", bus if bus.startswith("arn:") else arn("events", f"event-bus/{bus}"), keys)


def _entry(entry: dict) -> tuple[str, str, str]:
    return entry.get("EventBusName", "default"), entry.get("Source", ""), entry.get("DetailType", "")
