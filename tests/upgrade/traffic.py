"""What is on its way to webhooks while a version follows another, in each of the ways in which it can be."""

import threading
from dataclasses import dataclass, field
from typing import Any, Self

from api import Api, Unexpected
from endpoints import Endpoint, Endpoints
from ground import Ground, Patience

# Enough waits for any deployment: who refuses does so until it is over.
MANY_WAITS = [10, 20, 20, 30, 30, 30, *[60] * 10]
# Waits that EventBridge Scheduler keeps, since they are longer than a minute.
SCHEDULED = [75] * 12
BEFORE_ALL = "2020-01-01T00:00:00Z"


@dataclass(frozen=True)
class Kind:
    """One way to be on the way: what the customer asks for, and how his endpoint answers until the other version is there."""

    name: str
    events: int
    webhook: dict[str, Any] = field(default_factory=dict)
    status: int = 204
    seconds: float = 0.0
    # Whether the owner changes the secret before, with a grace that outlasts all of it.
    rotated: bool = False
    # Whether all has failed before, and is asked for again at the last moment.
    recovered: bool = False
    # What its events have beside type and data.
    event: dict[str, Any] = field(default_factory=dict)

    @property
    def is_prompt(self) -> bool:
        return self.status == 204


class Customer:
    """A tenant with its key, and the provider's own key that publishes for it. Calls are repeated while the API is away."""

    def __init__(self, ground: Ground, name: str) -> None:
        operator = ground.operator()
        self.ground = ground
        self.tenant = operator.call("POST", "/v1/tenants", {"name": name, "plan": "enterprise"}, expect=201)["id"]
        self.keys = {
            dialect: operator.call("POST", f"/v1/tenants/{self.tenant}/keys", {"dialect": dialect}, expect=201)["key"]
            for dialect in ("standard", "nouvel")
        }
        scopes = ["events:write", "jobs:read", "jobs:report"]
        self.provider = operator.call("POST", "/v1/keys", {"scopes": scopes, "name": name}, expect=201)["key"]

    def call(self, method: str, path: str, body: dict | None = None, *, key: str | None = None, expect: int = 200) -> dict:
        patience = Patience(f"{method} {path} is to be answered")
        while True:
            try:
                return Api(self.ground.api, key or self.keys["standard"]).call(method, path, body, expect=expect)
            except Unexpected as answer:
                if 0 < answer.status < 500:
                    raise
                patience.wait(str(answer))

    def publish(self, event: str, number: int, **more: Any) -> str:
        """The event's id. It is said, so whoever has no answer may repeat it."""
        name = f"evt_{event.replace('.', '_')}_{number}"
        body = {"tenant_id": self.tenant, "event": event, "id": name, "data": {"number": number}, **more}
        return self.call("POST", "/v1/events", body, key=self.provider, expect=202)["id"]

    def deliveries(self, webhook: str) -> list[dict]:
        """All of a webhook's, page by page."""
        found, cursor = [], ""
        while True:
            page = self.call("GET", f"/v1/webhooks/{webhook}/deliveries?limit=100{cursor}")
            found += page["deliveries"]
            if not page["pagination"]["has_more"]:
                return found
            cursor = f"&cursor={page['pagination']['next_cursor']}"


class Way:
    """One kind of traffic, at one webhook."""

    def __init__(self, customer: Customer, endpoints: Endpoints, kind: Kind, version: str) -> None:
        self.customer, self.kind = customer, kind
        self.name = f"{kind.name}_{version}"
        self.event = f"{self.name}.happened"
        self.endpoint: Endpoint = endpoints.make(self.name, status=kind.status, seconds=kind.seconds)
        body = {"url": endpoints.url(self.endpoint), "events": [self.event], **kind.webhook}
        made = customer.call("POST", "/v1/webhooks/create", body, expect=201)
        self.webhook: str = made["id"]
        self.endpoint.secrets.append(made["secret"])
        self.expected: list[str] = []
        if kind.rotated:
            again = customer.call("POST", f"/v1/webhooks/{self.webhook}/secret/rotate", {"grace_seconds": 86_400})
            self.endpoint.secrets.append(again["secret"])

    def begin(self) -> None:
        for number in range(self.kind.events):
            self.expected.append(self.customer.publish(self.event, number, **self.kind.event))

    def until_tried(self) -> None:
        """Until each has come once: what is refused is past its beginning then."""
        patience = Patience(f"{self.name}: each is to come once")
        while lacking := set(self.expected) - {post.event for post in self.endpoint.posts}:
            patience.wait(f"{len(lacking)} have not come")

    def until_failed(self) -> None:
        patience = Patience(f"{self.name}: all is to fail")
        while lacking := self.lacking("failed"):
            patience.wait(lacking)

    def ask_again(self) -> None:
        """For all that has failed. It is taken now, in as long as ever."""
        self.endpoint.status = 204
        self.customer.call("POST", f"/v1/webhooks/{self.webhook}/recover", {"since": BEFORE_ALL}, expect=202)

    def mend(self) -> None:
        """From now on the endpoint takes everything at once."""
        self.endpoint.status, self.endpoint.seconds = 204, 0.0

    def under_way_at(self, moment: float) -> int:
        """Of how many events the endpoint had not answered well yet."""
        answered: dict[str, float] = {}
        for post in self.endpoint.posts:
            if post.status < 300:
                answered.setdefault(post.event, post.until)
        return sum(until > moment for until in answered.values())

    def lacking(self, status: str) -> str:
        """What stands otherwise in the ledger; nothing where all of it stands so."""
        stands = {row["event_id"]: row["status"] for row in self.customer.deliveries(self.webhook)}
        others = [stands.get(event, "absent") for event in self.expected if stands.get(event) != status]
        return ", ".join(f"{others.count(other)} {other}" for other in sorted(set(others)))


class Steady:
    """Somebody who publishes all the time, for two webhooks: one that takes it at once, and one that takes its time, so that at
    whatever moment functions are replaced, POSTs are out. Use it in a `with`, which ends it."""

    def __init__(self, customer: Customer, endpoints: Endpoints, version: str) -> None:
        kinds = [Kind("steady", 0), Kind("tardy", 0, seconds=3.0)]
        self.ways = [Way(customer, endpoints, kind, version) for kind in kinds]
        self.event = self.ways[0].event
        customer.call("PATCH", f"/v1/webhooks/{self.ways[1].webhook}", {"events": [self.event]})
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def until(self, more: int) -> None:
        """Until it has published so many more, which it does unless the API stays away."""
        patience, so_far = Patience("publishing is to go on"), len(self.ways[0].expected)
        while (lacking := so_far + more - len(self.ways[0].expected)) > 0:
            patience.wait(f"{lacking} are lacking")

    def _publish(self) -> None:
        number = 0
        while not self._over.wait(0.5):
            event = self.ways[0].customer.publish(self.event, number)
            for way in self.ways:
                way.expected.append(event)
            number += 1


class Jobs:
    """Jobs that somebody started under one version, and that end under the other."""

    def __init__(self, customer: Customer, endpoints: Endpoints, version: str, number: int) -> None:
        self.customer = customer
        self.endpoint = endpoints.make(f"jobs_{version}")
        body = {"urls": ["https://example.com/video"], "variantCount": 1, "webhookUrl": endpoints.url(self.endpoint)}
        key = customer.keys["nouvel"]
        self.started = [customer.call("POST", "/api/v1/generate", body, key=key)["jobId"] for _ in range(number)]

    def end(self) -> None:
        for job in self.started:
            shown = self.customer.call("GET", f"/api/v1/jobs/{job}", key=self.customer.provider)
            ended = [
                {"projectId": project["id"], "status": "completed", "videoUrl": f"https://example.com/{project['id']}.mp4"}
                for project in shown["projects"]
            ]
            self.customer.call("POST", f"/api/v1/jobs/{job}/report", {"projects": ended}, key=self.customer.provider)

    def deliveries(self) -> list[dict]:
        calls = [f"/v1/deliveries?job_id={job}" for job in self.started]
        return [row for path in calls for row in self.customer.call("GET", path, key=self.customer.keys["nouvel"])["deliveries"]]

    def lacking(self) -> str:
        told = sum(row["status"] == "succeeded" for row in self.deliveries())
        return "" if told == len(self.started) else f"{told} of {len(self.started)} told"
