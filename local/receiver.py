"""A receiver: the customer's side of a webhook, as a small HTTPS server on this machine."""

import dataclasses
import http.server
import queue

from https_server import HttpsServer
from step import Failed


@dataclasses.dataclass
class Received:
    """One POST as it came over the wire; the body's bytes are what was signed."""

    headers: dict[str, str]
    body: bytes


class Receiver(HttpsServer):
    """Answers every POST with 204 and keeps it. Use it in a `with`, which starts and ends it."""

    def __init__(self, tls: dict) -> None:
        self.received: queue.Queue[Received] = queue.Queue()
        super().__init__(tls, self._handler())

    @property
    def url(self) -> str:
        return f"{self.origin}/webhooks"

    def wait(self, seconds: float) -> Received:
        """The next POST; that none came is a failure with a reason to look for in the ledger."""
        try:
            return self.received.get(timeout=seconds)
        except queue.Empty:
            raise Failed(f"nothing reached {self.url} within {seconds:.0f} s") from None

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        received = self.received

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                received.put(Received(dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """The demo shows what came; a server's own log between would only hide it."""

        return Handler
