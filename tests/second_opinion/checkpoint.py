"""Between our programs and moto: every call stops here to be judged, is put right where moto would be wrong, and goes on."""

import asyncio
import base64
import dataclasses
import json
from urllib.parse import unquote

from aws_itself import AwsItself
from http1 import Message, answer, serve
from judge import Call, Judge
from moto_faults import MotoFaults
from proxy import Proxy
from signature import Signature

TARGETS = {
    "dynamodb": ("DynamoDB_20120810.", "application/x-amz-json-1.0"),
    "sqs": ("AmazonSQS.", "application/x-amz-json-1.0"),
    "secretsmanager": ("secretsmanager.", "application/x-amz-json-1.1"),
    "events": ("AWSEvents.", "application/x-amz-json-1.1"),
}


@dataclasses.dataclass
class Caller:
    """A function, as its calls tell of it."""

    role: str
    secret: str
    token: str


@dataclasses.dataclass
class Spoilt:
    """Calls that AWS is to refuse or to be slow about: what our programs do then needs rights too."""

    role: str
    operation: str
    about: str
    times: int
    seconds: float = 0.0
    refuses: bool = True

    def takes(self, call: Call, body: bytes) -> bool:
        is_it = (call.caller, call.operation) == (self.role, self.operation) and self.about.encode() in body
        if not is_it or self.times == 0:
            return False
        self.times -= 1
        return True


class Checkpoint(Proxy):
    """`callers` by access key id. It runs in the loop that starts it."""

    def __init__(self, upstream: str, judge: Judge, itself: AwsItself, faults: MotoFaults, callers: dict[str, Caller]) -> None:
        super().__init__(upstream)
        self.judge, self.faults = judge, faults
        self._itself, self._callers = itself, callers
        self.spoilt: list[Spoilt] = []
        self.failed: list[str] = []

    async def start(self) -> None:
        self._server, port = await serve(self._handle)
        self.url = f"http://127.0.0.1:{port}"

    async def _handle(self, request: Message) -> Message:
        try:
            return await self._judged(request)
        except Exception as problem:  # noqa: BLE001 - a connection that ends without an answer tells nobody what was wrong
            self.failed.append(f"{self._who_calls_what(request)}: {problem!r}")
            return _refusal("SerializationException", f"the checkpoint cannot read this: {problem!r}")

    async def _judged(self, request: Message) -> Message:
        caller, service = self._caller(request)
        operation, content, wrong = _read(service, request)
        call = Call(caller, service, operation, content)
        if wrong:
            self.judge.broken[f"{call.caller}, {call.name}: {wrong}"] += 1
        self.judge.judge(call)
        if call.name == "scheduler:CreateSchedule":
            for role, need in self._itself.scheduled(content):
                for refused in self.judge.demand(role, [need]):
                    self.judge.broken[f"a schedule: {refused}"] += 1
        for spoilt in self.spoilt:
            if spoilt.takes(call, request.body):
                await asyncio.sleep(spoilt.seconds)
                if spoilt.refuses:
                    return _refusal("AccessDeniedException", "refused for once, to see what becomes of it")
        return await self._passed_on(request, operation, content)

    async def _passed_on(self, request: Message, operation: str, content: dict) -> Message:
        async def forward(name: str, told: dict) -> Message:
            target = request.headers["x-amz-target"].split(".")[0]
            headers = request.headers | {"x-amz-target": f"{target}.{name}"}
            return await self._forward(Message(request.first, headers, json.dumps(told).encode()))

        answered = await self.faults.answered(operation, content, forward)
        return answered or await self._forward(self.faults.mended(request, operation, content))

    def _who_calls_what(self, request: Message) -> str:
        """As far as that can be told of a call that nobody could judge."""
        try:
            caller = self._callers.get(Signature(request).key)
        except ValueError:
            caller = None
        return f"{caller.role if caller else 'a stranger'}, {request.headers.get('x-amz-target') or request.first}"

    def _caller(self, request: Message) -> tuple[str | None, str]:
        """The role of whoever calls, if it is a function of ours by key, token and signature; and the service."""
        signature = Signature(request)
        caller = self._callers.get(signature.key)
        if caller is None:
            return None, signature.service
        if wrong := signature.complaint(caller.secret, caller.token):
            self.judge.broken[f"{caller.role}: {wrong}"] += 1
        return caller.role, signature.service


def _read(service: str, request: Message) -> tuple[str, dict, str | None]:
    """The operation, what it was sent, and what is wrong with how it was sent."""
    content = json.loads(request.body) if request.body else {}
    method, path, _ = request.first.split(" ", 2)
    if service == "scheduler":
        if method != "POST" or not path.startswith("/schedules/"):
            return f"{method} {path}", content, "an unknown call"
        return "CreateSchedule", {"Name": unquote(path.removeprefix("/schedules/"))} | content, None
    prefix, content_type = TARGETS[service]
    target = request.headers.get("x-amz-target", "")
    wrong = None
    if (method, path) != ("POST", "/") or not target.startswith(prefix):
        wrong = f"{method} {path} with the target {target!r}"
    elif request.headers.get("content-type") != content_type:
        wrong = f"the content type {request.headers.get('content-type')!r}"
    return target.removeprefix(prefix), content, wrong


def _refusal(code: str, why: str) -> Message:
    body = json.dumps({"__type": code, "message": why}).encode()
    return answer(400, body, content_type="application/x-amz-json-1.0", x_amzn_errortype=code)


def token_of(name: str) -> str:
    """A session's token, as Lambda gives one to a function."""
    return base64.b64encode(f"session of {name}".encode()).decode()
