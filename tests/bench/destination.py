"""The customers' side: a receiver over HTTPS or HTTP that answers as it is told."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator

from http1 import Message, answer, serve


def tls_context(tls: dict) -> ssl.SSLContext:
    """For a server that the stack's functions trust: `tls` is the stack's `receiver_tls`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls["cert"], tls["key"])
    return context


class Destination:
    """Counts what reaches it, and the bytes that it took to get there."""

    def __init__(self, tls: dict | None) -> None:
        self._tls = tls_context(tls) if tls else None
        self.status, self.delay, self.body = 204, 0.0, b""
        self.posts, self.bytes = 0, 0
        self.connections, self.resumed = 0, 0
        # Requests that are being answered, and the most of them at once.
        self.at_once, self.most_at_once = 0, 0

    async def start(self) -> None:
        self._server, port = await serve(self._handle, tls=self._tls, opened=self._opened)
        self.url = f"{'https' if self._tls else 'http'}://localhost:{port}/webhooks"

    @contextlib.contextmanager
    def resuming_nothing(self) -> Iterator[None]:
        """Every connection that is opened meanwhile has a whole handshake. Otherwise it is chance how many of those that are
        opened at one time have one."""
        assert self._tls, "over plain HTTP there is nothing to resume"
        tickets, self._tls.num_tickets = self._tls.num_tickets, 0
        try:
            yield
        finally:
            self._tls.num_tickets = tickets

    def _opened(self, tls: ssl.SSLObject | None) -> None:
        self.connections += 1
        self.resumed += bool(tls and tls.session_reused)

    async def _handle(self, request: Message) -> Message:
        self.posts += 1
        self.bytes += len(request.encoded())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.delay:
            await asyncio.sleep(self.delay)
        self.at_once -= 1
        return answer(self.status, self.body)
