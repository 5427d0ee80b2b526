"""Customers' receivers: one HTTPS server, whose paths answer each as it is told."""

import asyncio
import collections
import dataclasses
from collections.abc import Callable

from destination import tls_context
from http1 import Message, answer, serve


@dataclasses.dataclass
class Manner:
    """How a path answers, and what happens while its request is out."""

    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    meanwhile: Callable[[], object] | None = None


class Receivers:
    """`posts` are the paths that were sent to. It runs in the loop that starts it."""

    def __init__(self, tls: dict) -> None:
        self._tls = tls_context(tls)
        self.manners: dict[str, Manner] = {}
        self.posts: collections.Counter[str] = collections.Counter()

    async def start(self) -> None:
        self._server, port = await serve(self._handle, tls=self._tls)
        self._base = f"https://localhost:{port}"

    def url(self, name: str, manner: Manner | None = None) -> str:
        self.manners.setdefault(f"/{name}", manner or Manner())
        return f"{self._base}/{name}"

    def set(self, name: str, manner: Manner) -> None:
        self.manners[f"/{name}"] = manner

    async def _handle(self, request: Message) -> Message:
        path = request.first.split()[1]
        self.posts[path] += 1
        manner = self.manners[path]
        if manner.meanwhile:
            await asyncio.to_thread(manner.meanwhile)
        if manner.seconds:
            await asyncio.sleep(manner.seconds)
        return answer(manner.status, manner.body, **manner.headers)
