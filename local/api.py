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


class Unexpected(Failed):
    """An answer that was not asked for, or none: then its status is 0."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """Calls with one key; an answer that was not asked for ends the program with what it said."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key

    def call(self, method: str, path: str, body: dict | None = None, *, expect: int = 200) -> dict:
        status, told = self.ask(method, path, body)
        if status != expect:
            said_instead = json.dumps(told, ensure_ascii=False)
            raise Unexpected(f"{method} {path} answered {status}, not {expect}: {said_instead}", status)
        return told

    def ask(self, method: str, path: str, body: dict | None = None, headers: dict[str, str] | None = None) -> tuple[int, dict]:
        """Any answer is one: its status, and what it says."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, said(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, said(error.read())
        except OSError as error:
            raise Unexpected(f"{method} {path} got no answer: {error}") from None


def said(text: bytes) -> dict:
    """What a body says; one that is no JSON object is told as it is."""
    try:
        told = json.loads(text or b"{}")
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {"text": text.decode(errors="replace")}
