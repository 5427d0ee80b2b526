"""The customers' side: a receiver over HTTPS or HTTP that answers as it is told."""

import asyncio
import ssl

from http1 import Message, answer, serve


def tls_context(tls: dict) -> ssl.SSLContext:
    """For a server that the stack's functions trust: `tls` is the stack's `receiver_tls`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls["cert"], tls["key"])
    return context


class Destination:
    """Counts what reaches it, and the bytes that it took to get there."""

    def __init__(self, tls: dict | None) -> None:
        self.tls = tls
        self.status, self.delay, self.body = 204, 0.0, b""
        self.posts, self.bytes = 0, 0
        self.connections, self.resumed = 0, 0

    async def start(self) -> None:
        self._server, port = await serve(self._handle, tls=tls_context(self.tls) if self.tls else None, opened=self._opened)
        self.url = f"{'https' if self.tls else 'http'}://localhost:{port}/webhooks"

    def _opened(self, tls: ssl.SSLObject | None) -> None:
        self.connections += 1
        self.resumed += bool(tls and tls.session_reused)

    async def _handle(self, request: Message) -> Message:
        self.posts += 1
        self.bytes += len(request.encoded())
        if self.delay:
            await asyncio.sleep(self.delay)
        return answer(self.status, self.body)
