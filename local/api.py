"""A client of Postrider's HTTP API, as small as a user's own would be."""

import json
import urllib.error
import urllib.request

from step import Failed

# All that a tenant's key may be given, publishing too.
TENANT_SCOPES = [
    "webhooks:read",
    "webhooks:write",
    "events:write",
    "jobs:read",
    "jobs:write",
    "deliveries:read",
    "deliveries:write",
]


class Api:
    """Calls with one key; an answer that was not asked for ends the program with what it said."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key

    def call(self, method: str, path: str, body: dict | None = None, *, expect: int = 200) -> dict:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except OSError as error:
            raise Failed(f"{method} {path} got no answer: {error}") from None
        if status != expect:
            raise Failed(f"{method} {path} answered {status}, not {expect}: {text.decode(errors='replace')}")
        return json.loads(text)
