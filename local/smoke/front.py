"""A front for a local stack's API: it speaks TLS, as webhooks ask for, and hands on what comes as it came."""

import http.server
import urllib.error
import urllib.request

from https_server import HttpsServer

# Of the connection between the two, and of no concern to who is behind.
OWN_HEADERS = ("host", "connection", "content-length", "transfer-encoding", "accept-encoding")
WITHIN = 30


class Front(HttpsServer):
    """Takes POSTs on a free port of this machine. Use it in a `with`, which starts and ends it."""

    def __init__(self, tls: dict, behind: str) -> None:
        """`tls` are files with which a receiver on this machine is trusted by the stack's functions."""
        super().__init__(tls, handler(behind))


def handler(behind: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN_HEADERS}
            request = urllib.request.Request(behind + self.path, method="POST", data=body, headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=WITHIN) as answer:
                    self._answer(answer.status, answer.headers.get_content_type(), answer.read())
            except urllib.error.HTTPError as error:
                self._answer(error.code, error.headers.get_content_type(), error.read())
            except OSError as error:
                self._answer(502, "text/plain", f"nobody answers behind this front: {error}".encode())

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The ledger tells what came."""

    return Handler
