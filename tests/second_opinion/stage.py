"""The stage of the stories: the functions under their emulators, moto, the checkpoint between, and customers with receivers."""

import asyncio
import contextlib
import dataclasses
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from account import Account
from api import TENANT_SCOPES
from authority import Authority
from aws_itself import AwsItself
from checkpoint import Caller, Checkpoint, Spoilt, token_of
from emulated import Emulated
from gateway import Gateway
from judge import Judge
from moto_faults import MotoFaults
from receivers import Receivers
from resolved import REGION, Resolved
from step import Failed
from world import World

# Of all the functions' credentials.
SECRET = "a secret access key"
# What differs from production, as a run says.
OWN_SETTINGS = {"PRIVATE_TARGETS": "allow"}
OWN_SETTINGS_OF = {"DeliverFunction": {"OUTAGE_SECONDS": "1"}}


@dataclasses.dataclass
class Customer:
    """A tenant with a key of one dialect."""

    world: World
    tenant: str
    headers: dict[str, str]

    def call(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        status, told = self.world.call(method, path, self.headers, body)
        if status != expect:
            raise Failed(f"{method} {path} answered {status}, and not {expect}: {told}")
        return told

    def webhook(self, url: str, events: list[str], **settings: Any) -> str:
        return self.call("POST", "/v1/webhooks/create", {"url": url, "events": events} | settings, 201)["id"]

    def publish(self, event: str, data: dict | None = None) -> str:
        return self.call("POST", "/v1/events", {"event": event, "data": data or {}}, 202)["id"]

    def deliveries(self, webhook: str, query: str = "") -> list[dict]:
        return self.call("GET", f"/v1/webhooks/{webhook}/deliveries{query}")["deliveries"]

    def delivery(self, delivery: str) -> dict:
        return self.call("GET", f"/v1/deliveries/{delivery}")


class Stage:
    """Use it in a `with`. `folder` is where logs and certificates go; `programs` those of the functions by their names."""

    def __init__(self, resolved: Resolved, programs: dict[str, Path], folder: Path) -> None:
        self.resolved, self._programs, self._folder = resolved, programs, folder
        self.judge, self.itself = Judge(resolved), AwsItself(resolved)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            authority = Authority(self._folder / "tls")
            authority.make()
            self.account = stack.enter_context(Account(self.resolved, self._folder / "moto.log"))
            self.faults = MotoFaults(self.judge.tables, self.account.secrets)
            self.functions = self.resolved.of_type("AWS::Lambda::Function")
            callers = {_key_of(name): Caller(self.itself.role_of(name), SECRET, token_of(name)) for name in self.functions}
            self.checkpoint = Checkpoint(self.account.url, self.judge, self.itself, self.faults, callers)
            self.receivers, self._gateway = Receivers(authority.as_json()), Gateway()
            stack.enter_context(self._running())
            started = {
                name: stack.enter_context(self._function(name, told, authority.ca)) for name, told in self.functions.items()
            }
            self.world = self._gateway.world = World(self.resolved, self.account, started)
            self.admin = Customer(self.world, "", _bearer(self.account.secret("AdminKey")))
            self._ending = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        self._thread.start()
        for server in (self.checkpoint, self.receivers, self._gateway):
            asyncio.run_coroutine_threadsafe(server.start(), self._loop).result()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _function(self, name: str, told: dict, ca: Path) -> Emulated:
        environment = told["Environment"]["Variables"] | OWN_SETTINGS_OF.get(name, {})
        if "API_URL" in environment:
            environment["API_URL"] = self._gateway.url
        environment |= OWN_SETTINGS | {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": _key_of(name),
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": token_of(name),
            "AWS_ENDPOINT_URL": self.checkpoint.url,
            "AWS_LAMBDA_FUNCTION_NAME": told["FunctionName"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(told["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(told["Timeout"]),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "SSL_CERT_FILE": str(ca),
        }
        program = self._programs[name]
        if not os.access(program, os.X_OK):
            raise Failed(f"there is no program at {program}")
        return Emulated(name, program, environment, self._folder / f"{name}.log")

    def customer(self, dialect: str, plan: str = "pro") -> Customer:
        tenant = self.admin.call("POST", "/v1/tenants", {"name": f"A customer of {dialect}", "plan": plan}, 201)["id"]
        wanted = {"dialect": dialect, "scopes": TENANT_SCOPES}
        key = self.admin.call("POST", f"/v1/tenants/{tenant}/keys", wanted, 201)["key"]
        return Customer(self.world, tenant, {"x-api-key": key} if dialect == "netraflow" else _bearer(key))

    def provider(self, *scopes: str) -> Customer:
        made = self.admin.call("POST", "/v1/keys", {"scopes": list(scopes)}, 201)
        return Customer(self.world, "", _bearer(made["key"]))

    @contextlib.contextmanager
    def spoiling(
        self, role: str, operation: str, about: str, times: int = 1, seconds: float = 0.0, refuses: bool = True
    ) -> Iterator[Spoilt]:
        """So many of a role's calls of an operation that speak of something are refused, or slow, while this lasts."""
        spoilt = Spoilt(role, operation, about, times, seconds, refuses)
        self.checkpoint.spoilt.append(spoilt)
        try:
            yield spoilt
        finally:
            self.checkpoint.spoilt.remove(spoilt)
        if spoilt.times == times:
            raise Failed(f"{role} made no {operation} about {about}")


async def _end_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _key_of(function: str) -> str:
    return f"ASIA{function.removesuffix('Function').upper():A<16}"


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
