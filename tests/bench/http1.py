"""As much of HTTP/1.1 as the bench's own servers need."""

import asyncio
import dataclasses
import ssl
from collections.abc import Awaitable, Callable

# Of a stream's buffer; bodies may be longer.
LONGEST_HEAD = 1 << 22


@dataclasses.dataclass
class Message:
    """A request or an answer: its first line, its headers by lower-case name, its body."""

    first: str
    headers: dict[str, str]
    body: bytes

    def encoded(self) -> bytes:
        """With a length in place of whatever framing it came in."""
        kept = {k: v for k, v in self.headers.items() if k not in ("transfer-encoding", "content-length", "connection")}
        lines = [self.first, *(f"{name}: {value}" for name, value in kept.items()), f"content-length: {len(self.body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body

    @property
    def status(self) -> int:
        return int(self.first.split(" ", 2)[1])


def answer(status: int, body: bytes = b"", **headers: str) -> Message:
    return Message(f"HTTP/1.1 {status} -", {k.replace("_", "-"): v for k, v in headers.items()}, body)


async def read_message(reader: asyncio.StreamReader) -> Message | None:
    """The next one, or nothing when the other side has closed."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Message(first, headers, await _chunks(reader))
    return Message(first, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body


async def serve(
    handle: Callable[[Message], Awaitable[Message]],
    *,
    tls: ssl.SSLContext | None = None,
    opened: Callable[[ssl.SSLObject | None], object] = lambda _: None,
) -> tuple[asyncio.Server, int]:
    """A server on a free loopback port; `handle(message)` gives the answer, on connections that are kept. Each is shown to
    `opened`, with its TLS."""

    # Referred to here: a task that nobody refers to is collected while it waits.
    connections: set[asyncio.Task | None] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        opened(writer.get_extra_info("ssl_object"))
        try:
            while (message := await read_message(reader)) is not None:
                writer.write((await handle(message)).encoded())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # Whoever spoke has ended, or the bench has.
            pass
        finally:
            writer.close()
            connections.discard(asyncio.current_task())

    server = await asyncio.start_server(connection, "127.0.0.1", 0, ssl=tls, limit=LONGEST_HEAD, backlog=1024)
    return server, server.sockets[0].getsockname()[1]
