"""A crowd of receivers: many endpoints on one HTTPS server, told apart by their paths, that note when each event came.

Some among them are tarpits, which take every request and never answer while they are shut, some take their time, and some fail.
"""

import asyncio
import json
import threading
import time
from typing import Self

from destination import tls_context
from http1 import Message, answer, serve

TARPIT = "tarpit"
SLOW = "slow"
FAILING = "failing"
# Less than the two seconds by which an attempt is slow by itself.
SECONDS = 1.9


class Crowd:
    """Runs in a thread of its own. Use it in a `with`, which starts and ends it."""

    def __init__(self, tls: dict) -> None:
        self.seen: dict[str, float] = {}
        self.held, self.slow, self.failed = 0, 0, 0
        self.shut = False
        self._tls = tls_context(tls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = 0
        # Held here: what nobody refers to, and nothing will wake, is collected, and its connection closed.
        self._never = asyncio.Event()

    def url(self, name: str) -> str:
        return f"https://localhost:{self._port}/{name}"

    def forget(self) -> None:
        self.seen = {}
        self.held, self.slow, self.failed = 0, 0, 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        # A connection that is being accepted becomes one that is served.
        while open_connections := asyncio.all_tasks() - {asyncio.current_task()}:
            for connection in open_connections:
                connection.cancel()
            await asyncio.gather(*open_connections, return_exceptions=True)

    async def _start(self) -> None:
        self._server, self._port = await serve(self._answer, tls=self._tls)

    async def _answer(self, request: Message) -> Message:
        name = request.first.split()[1].removeprefix("/")
        if name.startswith(TARPIT):
            if self.shut:
                self.held += 1
                await self._never.wait()
        elif name.startswith(SLOW):
            self.slow += 1
            await asyncio.sleep(SECONDS)
        elif name.startswith(FAILING):
            self.failed += 1
            return answer(500)
        else:
            self.seen[json.loads(request.body)["data"]["number"]] = time.monotonic()
        return answer(204)
