"""A receiver: the customer's side of a webhook, as a small HTTPS server on this machine."""

import dataclasses
import http.server
import queue
import ssl
import threading
from typing import Self

from step import Failed


@dataclasses.dataclass
class Received:
    """One POST as it came over the wire; the body's bytes are what was signed."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers every POST with 204 and keeps it. Use it in a `with`, which starts and ends it."""

    def __init__(self, tls: dict) -> None:
        self.received: queue.Queue[Received] = queue.Queue()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls["cert"], tls["key"])
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"https://localhost:{self._server.server_address[1]}/webhooks"

    def wait(self, seconds: float) -> Received:
        """The next POST; that none came is a failure with a reason to look for in the ledger."""
        try:
            return self.received.get(timeout=seconds)
        except queue.Empty:
            raise Failed(f"nothing reached {self.url} within {seconds:.0f} s") from None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

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
