"""An AWS that is played for fan-out: subscriptions, an events table, a ledger and queues in memory, and every call answered after
the same time. What one process of an emulator cannot show, since all share it: how functions fare beside one another.
"""

import asyncio
import bisect
import collections
import json
import re
import time

from http1 import Message, answer, serve

# Seconds that a call takes, as prices.json assumes it.
LATENCY = 0.005
DAY = 86_400
QUEUES = ("DELIVER", "RETRY", "QUARANTINE", "UNFINISHED", "CONTINUATION")
SETTINGS = {
    "CONFIG_TABLE": "config",
    "EVENTS_TABLE": "events",
    "DELIVERIES_TABLE": "deliveries",
    "EVENT_BUS": "bus",
    "RETENTION_DAYS": "30",
    "TIMEOUT_SECONDS": "60",
    **{f"{queue}_QUEUE_URL": f"https://sqs.us-east-1.amazonaws.com/000000000000/{queue.lower()}" for queue in QUEUES},
}
NAME = re.compile(r"'([^']+)': \?")


class PlayedAws:
    """`url` is where it listens, once it was started."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, list[str]] = {}
        self._events: dict[str, dict] = {}
        self.rows: dict[str, dict] = {}
        # The calls by name, since they were last taken.
        self.calls: collections.Counter = collections.Counter()
        # When a message was taken: of each delivery, and of each event the first.
        self.announced: dict[str, int] = {}
        self.first: dict[str, float] = {}
        # What was left, by queue.
        self.left: dict[str, list[str]] = collections.defaultdict(list)

    async def start(self) -> None:
        self._server, port = await serve(self._handle)
        self.url = f"http://127.0.0.1:{port}"

    def subscribe(self, tenant: str, event: str, webhooks: int) -> None:
        self._subscriptions[f"SUBSCRIPTION#{tenant}#{event}"] = [f"wh_0VxyBCde{number:08}" for number in range(webhooks)]

    def publish(self, tenant: str, event: str, number: int) -> dict:
        """The row of a new event."""
        now = time.time()
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".000Z"
        texts = {"tenant_id": tenant, "id": f"evt_{number:020}", "event": event, "data": '{"total": 12900}', "timestamp": at}
        row = {name: {"S": text} for name, text in texts.items()} | {"expires_at": {"N": str(int(now) + 200 * DAY)}}
        self._events[row["id"]["S"]] = row
        return row

    def take(self) -> collections.Counter:
        taken, self.calls = self.calls, collections.Counter()
        return taken

    async def _handle(self, request: Message) -> Message:
        operation = request.headers["x-amz-target"].split(".")[1]
        self.calls[operation] += 1
        await asyncio.sleep(LATENCY)
        told = getattr(self, f"_{operation}")(json.loads(request.body))
        return answer(200, json.dumps(told).encode(), content_type="application/x-amz-json-1.0")

    def _Query(self, asked: dict) -> dict:  # noqa: N802
        partition = asked["ExpressionAttributeValues"][":pk"]["S"]
        webhooks = self._subscriptions.get(partition, [])
        after = asked.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "")
        begin = bisect.bisect_right(webhooks, after)
        page = webhooks[begin : begin + asked["Limit"]]
        row = {"pk": {"S": partition}, "dialect": {"S": "standard"}, "since": {"S": "2026-01-15T14:29:58.000Z"}}
        told: dict = {"Items": [row | {"sk": {"S": webhook}} for webhook in page], "Count": len(page)}
        if begin + len(page) < len(webhooks):
            told["LastEvaluatedKey"] = {"pk": row["pk"], "sk": {"S": page[-1]}}
        return told

    def _GetItem(self, asked: dict) -> dict:  # noqa: N802
        return {"Item": self._events[asked["Key"]["id"]["S"]]}

    def _BatchExecuteStatement(self, asked: dict) -> dict:  # noqa: N802
        return {"Responses": [self._insert(statement) for statement in asked["Statements"]]}

    def _insert(self, statement: dict) -> dict:
        row = dict(zip(NAME.findall(statement["Statement"]), statement["Parameters"], strict=True))
        if row["id"]["S"] in self.rows:
            return {"Error": {"Code": "DuplicateItem", "Message": "there is one"}}
        self.rows[row["id"]["S"]] = row
        return {}

    def _BatchWriteItem(self, asked: dict) -> dict:  # noqa: N802
        return {"UnprocessedItems": {}}

    def _BatchGetItem(self, asked: dict) -> dict:  # noqa: N802
        keys = asked["RequestItems"].get("deliveries", {"Keys": []})["Keys"]
        return {"Responses": {"deliveries": [self.rows[key["id"]["S"]] for key in keys]}, "UnprocessedKeys": {}}

    def _SendMessageBatch(self, asked: dict) -> dict:  # noqa: N802
        queue = asked["QueueUrl"].rsplit("/", 1)[1]
        for entry in asked["Entries"]:
            body = json.loads(entry["MessageBody"])
            if "delivery_id" in body:
                self.announced[body["delivery_id"]] = self.announced.get(body["delivery_id"], 0) + 1
                self.first.setdefault(body["event_id"], time.monotonic())
            else:
                self.left[queue].append(entry["MessageBody"])
        return {"Successful": [], "Failed": []}
