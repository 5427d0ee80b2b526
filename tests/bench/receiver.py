"""The customers' side: a receiver over HTTPS or HTTP that answers as it is told."""

import asyncio
import ssl

from http1 import Message, answer, serve


class Receiver:
    """Counts what reaches it, and the bytes that it took to get there."""

    def __init__(self, tls: dict | None):
        self.tls = tls
        self.status, self.delay, self.body = 204, 0.0, b""
        self.posts, self.bytes = 0, 0

    async def start(self) -> None:
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls["cert"], self.tls["key"])
        self._server, port = await serve(self._handle, tls=context)
        self.url = f"{'https' if self.tls else 'http'}://localhost:{port}/webhooks"

    async def _handle(self, request: Message) -> Message:
        self.posts += 1
        self.bytes += len(request.encoded())
        if self.delay:
            await asyncio.sleep(self.delay)
        return answer(self.status, self.body)
