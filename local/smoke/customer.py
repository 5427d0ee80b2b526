"""The customer that a run makes for itself, with all that it needs; and who takes all of it away again."""

import contextlib
import datetime
import functools
import time
import uuid
from collections.abc import Callable, Container

from api import Api
from smoke.patience import Patience
from smoke.place import LEFT_BEHIND, NAME, remove_keys, take, tenant_at
from smoke.receivers import Receiver
from smoke.rows import Finding
from step import Failed

SCOPES = ["webhooks:read", "webhooks:write", "deliveries:read", "deliveries:write"]
TRIES = 3
# Answers to a DELETE after which nothing is there any more, or will be.
GONE = (202, 204, 404)


class Customer:
    """A tenant, a key of its own, a provider's key that publishes for it, and webhooks. Whoever makes one has to `leave`."""

    def __init__(self, operator: Api, patience: Patience, types: list[str] | None) -> None:
        """`types` are the hops whose event types a closed catalogue has to have."""
        self.patience = patience
        self._operator = operator
        self._types = types or []
        # How each thing is taken away again, noted before it is asked for: whoever is interrupted never hears that it was made.
        self._made: dict[str, Callable[[], bool]] = {}
        self.published: dict[str, int] = {}
        self.place = 0
        self.tenant = ""

    def sign_up(self) -> str:
        begun = time.monotonic()
        operator = self._operator
        _, self.tenant = take(operator, self._claim)
        # Also without its deletion nothing of it would be left for long: its keys end by themselves.
        note = {"name": f"{NAME}-{self.place}", "expires_at": _in(LEFT_BEHIND)}
        own = {"dialect": "standard", "scopes": SCOPES, **note}
        self.api = Api(operator.url, operator.call("POST", f"/v1/tenants/{self.tenant}/keys", own, expect=201)["key"])
        self._made["the provider key"] = self._without_keys
        provider = operator.call("POST", "/v1/keys", {"scopes": ["events:write"], **note}, expect=201)
        self.provider = Api(operator.url, provider["key"])
        for hop in self._types:
            name = self.event_type(hop)
            path = f"/v1/event-types/{name}"
            self._made[f"the event type {name}"] = functools.partial(is_deleted, operator, path)
            status, told = operator.ask("POST", "/v1/event-types", {"name": name, "description": "Of the smoke test."})
            # It may be there from a run that died.
            if status not in (201, 409):
                raise Finding(f"the catalogue is closed, and takes no type of the smoke test's: {status}: {told}")
        return f"tenant {self.tenant}, a key of its own and a provider's, in {time.monotonic() - begun:.1f} s"

    def _claim(self, place: int) -> None:
        self.place = place
        if place:
            self._made["the tenant"] = self._without_tenant
        else:
            self._made.pop("the tenant", None)

    def _without_tenant(self) -> bool:
        path = tenant_at(self.place)
        # Nobody has heard that it was made, so that may be under way still.
        if not self.tenant and is_deleted(self._operator, path, (202,)):
            return True
        return is_deleted(self._operator, path)

    def _without_keys(self) -> bool:
        """The place is this run's alone, so whatever its age such a key is its own, too. One that nobody has heard of may be
        under way."""
        for left in range(TRIES, 0, -1):
            with contextlib.suppress(Failed):
                gone = remove_keys(self._operator, lambda key: key["name"] == f"{NAME}-{self.place}")
                if all(gone) and (gone or left == 1):
                    return True
            time.sleep(1)
        return False

    def event_type(self, hop: str) -> str:
        return f"postrider.smoke.{self.place}.{hop}"

    def webhook(self, hop: str, receiver: Receiver, secret: str, schedule: list[int]) -> str:
        """A webhook for one hop's events alone; its id."""
        body = {"url": receiver.url, "events": [self.event_type(hop)], "secret": secret, "retry_schedule": schedule, "name": hop}
        status, told = self.api.ask("POST", "/v1/webhooks/create", body)
        if status != 201:
            raise Finding(f"no webhook may point at {receiver.url.split('/v1/')[0]}: {status}: {told}")
        # Its key may have expired, or been deleted with its tenant: then the webhook goes with that.
        self._made[f"the webhook {told['id']}"] = functools.partial(
            is_deleted, self.api, f"/v1/webhooks/{told['id']}", (*GONE, 401)
        )
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
        left = [name for name, is_gone in reversed(self._made.items()) if not is_gone()]
        if left:
            raise Finding(f"not deleted: {', '.join(left)}; the next run a quarter of an hour from now tries again")
        if not self._made:
            return "nothing was made"
        count, tenant = len(self._made) - 1, self.tenant or f"ext:{NAME}-{self.place}"
        self._made.clear()
        return f"{count} things are deleted, and tenant {tenant} is a deleted one: sweeps take its rows away within minutes"


def is_deleted(api: Api, path: str, gone: Container[int] = GONE) -> bool:
    """Whether nothing is there any more, or will be."""
    for _ in range(TRIES):
        try:
            status, _ = api.ask("DELETE", path)
        except Failed:
            status = 0
        if status in gone:
            return True
        time.sleep(1)
    return False


def _in(span: datetime.timedelta) -> str:
    return (datetime.datetime.now(datetime.UTC) + span).isoformat(timespec="seconds")
