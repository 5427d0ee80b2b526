"""A proxy between the functions and AWS that writes down every call, with what it is billed."""

import asyncio
import dataclasses
import json
import time
from urllib.parse import urlsplit

from http1 import LONGEST_HEAD, Message, read_message, serve
from units import Units, units_of


@dataclasses.dataclass
class Call:
    """One call of a function to AWS."""

    service: str
    operation: str
    request: dict
    answer: dict
    status: int
    units: Units
    begun: float
    ended: float

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


class Proxy:
    """Keeps the calls in `calls` until they are taken."""

    def __init__(self, upstream: str) -> None:
        where = urlsplit(upstream)
        self._upstream = (where.hostname, where.port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.calls: list[Call] = []

    async def start(self) -> None:
        self._server, port = await serve(self._handle)
        self.url = f"http://127.0.0.1:{port}"

    def take(self) -> list[Call]:
        """The calls since it was last asked."""
        taken, self.calls = self.calls, []
        return taken

    async def _handle(self, request: Message) -> Message:
        service, operation = _named(request)
        content = json.loads(request.body) if request.body else {}
        if service == "dynamodb":
            content["ReturnConsumedCapacity"] = "INDEXES"
            request = dataclasses.replace(request, body=json.dumps(content).encode())
        begun = time.monotonic()
        answer = await self._forward(request)
        told = _json(answer.body)
        units = units_of(operation, content, answer.status, told) if service == "dynamodb" else Units()
        call = Call(service, operation, content, told, answer.status, units, begun, time.monotonic())
        self.calls.append(call)
        return answer

    async def _forward(self, request: Message) -> Message:
        """A kept connection may have been closed meanwhile; a new one has not."""
        while True:
            fresh = not self._idle
            reader, writer = await self._connect() if fresh else self._idle.pop()
            try:
                writer.write(request.encoded())
                await writer.drain()
                answer = await read_message(reader)
            except (ConnectionError, asyncio.IncompleteReadError):
                answer = None
            if answer is not None and answer.headers.get("connection", "").lower() != "close":
                self._idle.append((reader, writer))
                return answer
            writer.close()
            if answer is not None:
                return answer
            if fresh:
                raise ConnectionError("the emulator closed the connection")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self._upstream, limit=LONGEST_HEAD)


def waves(calls: list[Call]) -> int:
    """How many times in turn the calls were waited for: those side by side count once."""
    count, until = 0, 0.0
    for call in sorted(calls, key=lambda call: call.begun):
        if call.begun >= until:
            count += 1
            until = call.ended
        else:
            until = min(until, call.ended)
    return count


def _named(request: Message) -> tuple[str, str]:
    target = request.headers.get("x-amz-target")
    if target:
        service, operation = target.split(".", 1)
        return {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}.get(service, service), operation
    method, path, _ = request.first.split(" ", 2)
    if path.startswith("/schedules/"):
        return "scheduler", "CreateSchedule" if method == "POST" else method
    raise ValueError(f"an unknown call: {request.first}")


def _json(body: bytes) -> dict:
    try:
        return json.loads(body)
    except ValueError:
        return {}
