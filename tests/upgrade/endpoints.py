"""Customers' endpoints: one HTTPS server on this machine that answers for all of them, and keeps every POST."""

import http.server
import json
import time
from dataclasses import dataclass, field

from standardwebhooks import Webhook, WebhookVerificationError

from https_server import HttpsServer


@dataclass(frozen=True)
class Post:
    """One POST as it came: from `at` on, in seconds since 1970, for so many seconds."""

    event: str
    at: float
    status: int
    seconds: float = 0.0

    @property
    def until(self) -> float:
        return self.at + self.seconds


@dataclass
class Endpoint:
    """A customer's URL: how it answers now, with which secrets it verifies, and what it was sent."""

    name: str
    status: int = 204
    # How long an answer takes.
    seconds: float = 0.0
    # Each has to verify: both of them while a rotation's grace lasts.
    secrets: list[str] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Keeps it as it comes, so that one whose sender ends meanwhile is known as well."""
        # A job's body names the job and no event.
        status, seconds, event = self.status, self.seconds, headers.get("webhook-id") or json.loads(body)["jobId"]
        self.posts.append(Post(event, time.time(), status, seconds))
        for secret in self.secrets:
            try:
                Webhook(secret).verify(body, headers)
            except WebhookVerificationError as error:
                self.forged.append(f"{self.name}, {event}: {error}")
        time.sleep(seconds)
        return status


class Endpoints(HttpsServer):
    """Use it in a `with`, which starts and ends the server."""

    def __init__(self, tls: dict) -> None:
        self.all: dict[str, Endpoint] = {}
        super().__init__(tls, self._handler(), Server)

    def make(self, name: str, **how: float) -> Endpoint:
        self.all[name] = Endpoint(name, **how)  # type: ignore[arg-type]
        return self.all[name]

    def url(self, endpoint: Endpoint) -> str:
        return f"{self.origin}/{endpoint.name}"

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        endpoints = self.all

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(endpoints[self.path.strip("/")].take(headers, body))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """A server's own log would only hide what the step says."""

        return Handler


class Server(http.server.ThreadingHTTPServer):
    """Many connect at once, and senders are killed: neither is worth a word."""

    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        pass
