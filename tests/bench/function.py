"""A function of ours as Lambda runs it: its program, and a runtime API that gives it one event at a time."""

import asyncio
import dataclasses
import json
import signal
import time
import uuid
from pathlib import Path
from typing import Any, Self

from counter import Counter
from http1 import Message, answer, serve
from process import cpu_seconds

WITHIN = 300
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function"


class Broken(Exception):
    """The function ended or reported an error."""


@dataclasses.dataclass
class Invocation:
    """One invocation; seconds from giving the event to taking the answer."""

    answer: Any
    seconds: float


class Function:
    """Use it with `async with`. `first_poll` is how long after its start it asked for its first event; with a counter,
    `instructions` is all that it has executed when it has ended."""

    def __init__(
        self, program: Path, environment: dict[str, str], log: Path, timeout: int = 900, counter: Counter | None = None
    ) -> None:
        self.program, self.environment, self.log, self.timeout = program, environment, log, timeout
        self._count = counter.count(program.name) if counter else None
        self._events: asyncio.Queue = asyncio.Queue()
        self._answers: asyncio.Queue = asyncio.Queue()
        self.polled = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server, port = await serve(self._handle)
        environment = self.environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"}
        with self.log.open("ab") as log:
            self.started = time.monotonic()
            self.process = await asyncio.create_subprocess_exec(
                *(self._count.command if self._count else ()),
                self.program,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        poll = asyncio.ensure_future(self.polled.wait())
        end = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({poll, end}, return_when=asyncio.FIRST_COMPLETED, timeout=WITHIN)
        end.cancel()
        if not poll.done():
            raise Broken(f"{self.program.name} asked for no event; its log is {self.log}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            # What counts tells its count on the way out.
            self.process.send_signal(signal.SIGTERM if self._count else signal.SIGKILL)
        await self.process.wait()
        if self._count:
            self.instructions = self._count.read()
        self._server.close()
        # The poll that nobody hears any more comes to its end.
        self._events.put_nowait(b"")
        await asyncio.sleep(0)

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    async def invoke(self, event: dict) -> Invocation:
        begun = time.monotonic()
        await self._events.put(json.dumps(event).encode())
        kind, body = await asyncio.wait_for(self._answers.get(), WITHIN)
        if kind != "response":
            raise Broken(f"{self.program.name} failed: {body.decode(errors='replace')}")
        return Invocation(json.loads(body) if body else None, time.monotonic() - begun)

    async def _handle(self, request: Message) -> Message:
        method, path, _ = request.first.split(" ", 2)
        if method == "GET":
            if not self.polled.is_set():
                self.first_poll = time.monotonic() - self.started
                self.first_poll_cpu = self.cpu()
                self.polled.set()
            event = await self._events.get()
            return answer(
                200,
                event,
                content_type="application/json",
                lambda_runtime_aws_request_id=str(uuid.uuid4()),
                lambda_runtime_deadline_ms=str(int((time.time() + self.timeout) * 1000)),
                lambda_runtime_invoked_function_arn=f"{FUNCTION_ARN}:{self.program.name}",
            )
        await self._answers.put((path.rsplit("/", 1)[1], request.body))
        return answer(202, b"{}", content_type="application/json")
