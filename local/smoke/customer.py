"""The customer that a run makes for itself, with all that it needs; and who takes all of it away again."""

import datetime
import time
import uuid
from collections.abc import Callable

from api import Api
from smoke.patience import Patience
from smoke.place import LEFT_BEHIND, NAME, take
from smoke.receivers import Receiver
from smoke.rows import Finding
from step import Failed

SCOPES = ["webhooks:read", "webhooks:write", "deliveries:read", "deliveries:write"]
TRIES = 3


class Customer:
    """A tenant, a key of its own, a provider's key that publishes for it, and webhooks. Whoever makes one has to `leave`."""

    def __init__(self, operator: Api, patience: Patience, types: list[str] | None) -> None:
        """`types` are the hops whose event types a closed catalogue has to have."""
        self.patience = patience
        self._operator = operator
        self._types = types or []
        self._made: list[tuple[str, Api, str]] = []
        self.published: dict[str, int] = {}
        self.place = 0
        self.tenant = ""

    def sign_up(self) -> str:
        begun = time.monotonic()
        operator = self._operator
        self.place, self.tenant = take(operator)
        # Also without its deletion nothing of it would be left for long: its keys end by themselves.
        self._made.append(("the tenant", operator, f"/v1/tenants/{self.tenant}"))
        note = {"name": f"{NAME}-{self.place}", "expires_at": _in(LEFT_BEHIND)}
        own = {"dialect": "standard", "scopes": SCOPES, **note}
        self.api = Api(operator.url, operator.call("POST", f"/v1/tenants/{self.tenant}/keys", own, expect=201)["key"])
        provider = operator.call("POST", "/v1/keys", {"scopes": ["events:write"], **note}, expect=201)
        self._made.append(("the provider key", operator, f"/v1/keys/{provider['id']}"))
        self.provider = Api(operator.url, provider["key"])
        for hop in self._types:
            name = self.event_type(hop)
            status, told = operator.ask("POST", "/v1/event-types", {"name": name, "description": "Of the smoke test."})
            # It may be there from a run that died.
            if status not in (201, 409):
                raise Finding(f"the catalogue is closed, and takes no type of the smoke test's: {status}: {told}")
            self._made.append((f"the event type {name}", operator, f"/v1/event-types/{name}"))
        return f"tenant {self.tenant}, a key of its own and a provider's, in {time.monotonic() - begun:.1f} s"

    def event_type(self, hop: str) -> str:
        return f"postrider.smoke.{self.place}.{hop}"

    def webhook(self, hop: str, receiver: Receiver, secret: str, schedule: list[int]) -> str:
        """A webhook for one hop's events alone; its id."""
        body = {"url": receiver.url, "events": [self.event_type(hop)], "secret": secret, "retry_schedule": schedule, "name": hop}
        status, told = self.api.ask("POST", "/v1/webhooks/create", body)
        if status != 201:
            raise Finding(f"no webhook may point at {receiver.url.split('/v1/')[0]}: {status}: {told}")
        self._made.append((f"the webhook {told['id']}", self.api, f"/v1/webhooks/{told['id']}"))
        return told["id"]

    def publish(self, hop: str) -> dict:
        """An event of a hop's; repeated with its key, since an answer may be lost."""
        body = {"tenant_id": self.tenant, "event": self.event_type(hop), "data": {"hop": hop}}
        key = {"Idempotency-Key": str(uuid.uuid4())}
        for left in range(TRIES, 0, -1):
            status, told = self.provider.ask("POST", "/v1/events", body, key)
            if status == 202:
                self.published[hop] = self.published.get(hop, 0) + 1
                return told
            if status < 500 or left == 1:
                raise Finding(f"publishing was answered {status}: {told}")
            time.sleep(1)
        raise AssertionError

    def delivery_of(self, event: dict, otherwise: Callable[[dict], str]) -> str:
        """The id of an event's one delivery, once fan-out has made it."""
        shown: dict = {}

        def look() -> str | None:
            status, told = self.api.ask("GET", f"/v1/events/{event['id']}")
            if status == 200:
                shown.update(told)
            return told["deliveries"][0]["id"] if status == 200 and told["deliveries"] else None

        return self.patience.until(look, lambda: otherwise(shown))

    def delivery(self, delivery: str) -> dict | None:
        status, told = self.api.ask("GET", f"/v1/deliveries/{delivery}")
        return told if status == 200 else None

    def leave(self) -> str:
        """Takes all of it away, whatever of it is in the way: what cannot be taken away is named."""
        left = [name for name, api, path in reversed(self._made) if not is_deleted(api, path)]
        if left:
            raise Finding(f"not deleted: {', '.join(left)}; the next run a quarter of an hour from now tries again")
        if not self._made:
            return "nothing was made"
        count = len(self._made) - 1
        self._made.clear()
        return f"{count} things are deleted, and tenant {self.tenant} is a deleted one: sweeps take its rows away within minutes"


def is_deleted(api: Api, path: str) -> bool:
    """Whether nothing is there any more, or will be."""
    for _ in range(TRIES):
        try:
            status, _ = api.ask("DELETE", path)
        except Failed:
            status = 0
        # Of what hangs on a tenant that is deleted, or on a key that has expired, nothing is left either.
        if status in (202, 204, 401, 404):
            return True
        time.sleep(1)
    return False


def _in(span: datetime.timedelta) -> str:
    return (datetime.datetime.now(datetime.UTC) + span).isoformat(timespec="seconds")
