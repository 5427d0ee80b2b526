"""A crowd of receivers: many endpoints on one HTTPS server, told apart by their paths, that note when each event came.

A tarpit among them takes every request and never answers while it is shut.
"""

import asyncio
import json
import ssl
import threading
import time

TARPIT = "tarpit"


class Crowd:
    """Runs in a thread of its own. Use it in a `with`, which starts and ends it."""

    def __init__(self, tls: dict):
        self.seen: dict[str, float] = {}
        self.held = 0
        self.shut = False
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(tls["cert"], tls["key"])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = 0

    def url(self, name: str) -> str:
        return f"https://localhost:{self._port}/{name}"

    def forget(self) -> None:
        self.seen, self.held = {}, 0

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_):
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
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, backlog=1000)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            """The sender hung up, which is how a time-out ends, or all is over."""
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.strip().split("\r\n")
        length = next(int(f.split(":")[1]) for f in fields if f.lower().startswith("content-length:"))
        event = json.loads(await reader.readexactly(length))
        if line.split()[1] == f"/{TARPIT}":
            if self.shut:
                self.held += 1
                await reader.read()
                return False
        else:
            self.seen[event["data"]["number"]] = time.monotonic()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        return True
