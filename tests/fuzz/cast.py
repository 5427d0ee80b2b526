"""Who calls, and what each of them has made beforehand: calls about nothing find little."""

import re
import time

from api import TENANT_SCOPES, Api
from step import Failed

WITHIN = 60
# Nobody answers there, whatever the machine can reach.
HOOK = "https://your-app.invalid/hook"

# The ids of what there is, by the start of the paths that name it.
Things = dict[str, list[str]]


class Caller:
    """A kind of key, where it belongs, and what can be asked about with it."""

    def __init__(self, kind: str, home: str, headers: dict[str, str], things: Things) -> None:
        self.kind = kind
        self.home = re.compile(home)
        self.headers = headers
        self.things = things

    def is_at_home(self, path: str) -> bool:
        """Whether more than a refusal is to be expected."""
        return self.home.match(path) is not None


def cast(admin: Api) -> list[Caller]:
    """Tenants of their own for every kind, so that nobody else's are touched."""
    standard, nur, nouvel, netraflow = (customer(admin, dialect) for dialect in ("standard", "nur", "nouvel", "netraflow"))
    scopes = ["events:write", "jobs:read", "jobs:write", "jobs:report"]
    provider = admin.call("POST", "/v1/keys", {"scopes": scopes, "name": "fuzz"}, expect=201)
    jobs = {**nouvel.things, **netraflow.things, "tenant_id": standard.things["/v1/tenants/{id}"]}
    # The first is there to be deleted.
    body = {"name": "Fuzz of the operator", "plan": "pro"}
    doomed, owned = (admin.call("POST", "/v1/tenants", body, expect=201)["id"] for _ in range(2))
    keys = [admin.call("POST", f"/v1/tenants/{owned}/keys", {"dialect": "nur"}, expect=201)["id"] for _ in range(3)]
    others = [admin.call("POST", "/v1/keys", {"scopes": scopes}, expect=201)["id"] for _ in range(3)]
    types = [f"fuzz.{owned}.{number}" for number in range(3)]
    for name in types:
        admin.call("POST", "/v1/event-types", {"name": name}, expect=201)
    sessions = [admin.call("POST", f"/v1/tenants/{owned}/portal", {}, expect=201)["session_id"] for _ in range(3)]
    operated = {
        "/v1/event-types/{name}": types,
        "/v1/tenants/{id}": [doomed, owned],
        "/v1/tenants/{id}/keys/{key_id}": keys,
        "/v1/tenants/{id}/portal/{session_id}": sessions,
        "/v1/keys/{key_id}": others,
    }
    return [
        Caller("no key", "/v1/openapi.json|/v1/smoke/receive/", {}, {"/v1/smoke/receive/{token}": [token(admin)]}),
        # Before the operator, who may end its session.
        visitor(admin, standard.things),
        Caller("admin", "/v1/(tenants|keys|event-types|smoke)", bearer(admin.key), operated),
        Caller("provider", "/v1/events|/v1/jobs|/api/v1/jobs", bearer(provider["key"]), jobs),
        standard,
        nur,
        nouvel,
        netraflow,
    ]


def token(admin: Api) -> str:
    """Of a receiver of the smoke test's."""
    return admin.call("POST", "/v1/smoke/receivers", {}, expect=201)["path"].rsplit("/", 1)[1]


def suspend(admin: Api, callers: list[Caller]) -> None:
    """Or what they have published would be tried for days."""
    for tenant in {tenant for caller in callers for tenant in caller.things.get("/v1/tenants/{id}", [])[-1:]}:
        admin.call("PATCH", f"/v1/tenants/{tenant}", {"status": "suspended"})


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def visitor(admin: Api, things: Things) -> Caller:
    """Somebody in a session of the portal of a tenant, whose things these are."""
    link = admin.call("POST", f"/v1/tenants/{things['/v1/tenants/{id}'][0]}/portal", {}, expect=201)["url"]
    token = link.rsplit("/", 1)[1]
    begun = admin.call("POST", "/v1/portal/sessions", {"token": token}, expect=201)
    return Caller("visitor", "/v1/(webhooks|events|deliveries|portal/session)", bearer(begun["session"]), things)


def customer(admin: Api, dialect: str) -> Caller:
    tenant = admin.call("POST", "/v1/tenants", {"name": f"Fuzz of {dialect}", "plan": "pro"}, expect=201)["id"]
    made = admin.call("POST", f"/v1/tenants/{tenant}/keys", {"dialect": dialect, "scopes": TENANT_SCOPES}, expect=201)
    api = Api(admin.url, made["key"])
    things: Things = {"/v1/tenants/{id}": [tenant]}
    if dialect == "nouvel":
        job = api.call("POST", "/api/v1/generate", {"urls": [HOOK], "webhookUrl": HOOK})["jobId"]
        return Caller(dialect, "/api/v1/", bearer(made["key"]), things | {"/api/v1/jobs/{jobId}": [job]})
    if dialect == "netraflow":
        body = {"url": HOOK, "capabilities": ["summary"], "webhook_url": HOOK}
        job = api.call("POST", "/v1/jobs", body, expect=201)["data"]["job_id"]
        return Caller(dialect, "/v1/jobs|/v1/deliveries", {"X-Api-Key": made["key"]}, things | {"/v1/jobs/{id}": [job]})
    # The first is there to be deleted.
    body = {"url": HOOK, "events": ["*"]}
    webhooks = [api.call("POST", "/v1/webhooks/create", body, expect=201)["id"] for _ in range(4)]
    event = api.call("POST", "/v1/events", {"event": "dubbing.completed", "data": {}}, expect=202)["id"]
    deliveries = deliveries_of(api, event, len(webhooks))
    things |= {"/v1/webhooks/{id}": webhooks, "/v1/events/{id}": [event], "/v1/deliveries/{id}": deliveries}
    return Caller(dialect, "/v1/(webhooks|events|deliveries)", bearer(made["key"]), things)


def deliveries_of(api: Api, event: str, count: int) -> list[str]:
    """An event is fanned out after it was taken, so it is asked until it is."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        found = [one["id"] for one in api.call("GET", f"/v1/events/{event}")["deliveries"]]
        if len(found) == count:
            return found
        time.sleep(0.1)
    raise Failed(f"{event} was not fanned out within {WITHIN} s")
