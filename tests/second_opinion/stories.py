"""What is played: every route, and whatever else needs a right that some role gives. Each story ends with what it must have come
to, so that one in which nothing happened fails."""

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from receivers import Manner
from stage import Customer, Stage
from step import Failed

DAY = 86_400


def check(holds: Any, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


def ago(seconds: float) -> str:
    at = time.time() - seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}Z"


class Rows:
    """Rows that are changed by hand, for what no API can bring about: time that has passed."""

    def __init__(self, stage: Stage) -> None:
        self._dynamodb, self._resolved = stage.account.client("dynamodb"), stage.resolved

    def put(self, table: str, item: dict) -> None:
        self._dynamodb.put_item(TableName=self._resolved.name(table), Item=item)

    def get(self, table: str, **key: str) -> dict:
        told = self._dynamodb.get_item(TableName=self._resolved.name(table), Key={k: {"S": v} for k, v in key.items()})
        return told.get("Item", {})

    def change(self, table: str, key: dict[str, str], **values: dict) -> None:
        row = self.get(table, **key)
        check(row, f"{table} has no row {key}")
        self.put(table, row | values)

    def delivery(self, delivery: str, **values: dict) -> None:
        self.change("DeliveriesTable", {"endpoint_id": f"wh_{delivery[12:28]}", "id": delivery}, **values)


def s(text: str) -> dict:
    return {"S": text}


def settled(stage: Stage, customer: Customer, delivery: str, status: str, attempts: int) -> dict:
    shown: dict = {}

    def is_so() -> bool:
        shown.update(customer.delivery(delivery))
        return (shown["status"], len(shown["attempts"])) == (status, attempts)

    stage.world.until(f"the delivery to be {status} after {attempts}", is_so, shown)
    return shown


def delivered_to(stage: Stage, customer: Customer, webhook: str, event: str = "invoice.paid") -> str:
    """Publishes an event; its delivery to the webhook, once it has been attempted or parked."""
    published = customer.publish(event)
    stage.world.settle()
    found = [one["id"] for one in customer.deliveries(webhook, "?limit=100") if one["event_id"] == published]
    check(len(found) == 1, f"{published} has {len(found)} deliveries to {webhook}")
    return found[0]


# ---------------------------------------------------------------- the operator's side


def document(stage: Stage) -> None:
    status, told = stage.world.call("GET", "/v1/openapi.json", {})
    check(status == 200 and "/v1/webhooks/create" in told["paths"], "nobody learns what the API is")
    status, page = stage.world.call("GET", "/docs", {})
    check(status == 200 and 'id="createWebhook"' in page, "nobody reads what the API is")


def tenants_and_keys(stage: Stage) -> None:
    admin, customer = stage.admin, stage.customer("standard")
    path = f"/v1/tenants/{customer.tenant}"
    admin.call("PATCH", path, {"name": "Another name", "quotas": {"webhooks": 900}})
    check(admin.call("GET", path)["name"] == "Another name", "a change of a tenant was lost")
    listed = admin.call("GET", "/v1/tenants?limit=100")["tenants"]
    check(customer.tenant in [one["id"] for one in listed], "a tenant is not listed")
    key = admin.call("POST", f"{path}/keys", {"dialect": "nur"}, 201)
    admin.call("DELETE", f"{path}/keys/{key['id']}", expect=204)
    check(key["id"] not in json.dumps(admin.call("GET", f"{path}/keys")), "a key that was revoked is listed")
    admin.call("POST", f"{path}/secret/rotate", {})
    provider = admin.call("POST", "/v1/keys", {"scopes": ["events:write"]}, 201)
    admin.call("GET", "/v1/keys")
    admin.call("DELETE", f"/v1/keys/{provider['id']}", expect=204)
    admin.call("PATCH", path, {"status": "suspended"})
    customer.call("GET", "/v1/webhooks", expect=403)


def a_portal(stage: Stage) -> None:
    """A link, who follows it twice, what the session does in every function, and each way in which sessions end."""
    world, customer, provider = stage.world, stage.customer("standard"), stage.provider("portal:write")
    path = f"/v1/tenants/{customer.tenant}/portal"
    webhook = customer.webhook(stage.receivers.url("portal"), ["invoice.*"])
    delivery = delivered_to(stage, customer, webhook)

    def visitor(asked: dict) -> tuple[str, Customer]:
        made = provider.call("POST", path, asked, 201)
        token = made["url"].rsplit("/", 1)[1]
        begun, again = [world.call("POST", "/v1/portal/sessions", {}, {"token": token}) for _ in range(2)]
        check((begun[0], again[0]) == (201, 401), f"a link that is used twice: {begun}, {again}")
        return made["session_id"], Customer(world, customer.tenant, {"authorization": f"Bearer {begun[1]['session']}"})

    name, whole = visitor({"expires_in": 600})
    keyed = whole.headers | {"idempotency-key": "the first of a visitor"}
    body = {"url": stage.receivers.url("visitor"), "events": ["other.*"]}
    first, again = [world.call("POST", "/v1/webhooks/create", keyed, body) for _ in range(2)]
    check((first[0], first) == (201, again), f"a visitor's creation that comes again is answered otherwise: {first}, {again}")
    _, limited = visitor({"capabilities": ["send"], "webhook_ids": [webhook]})
    listed = [one["id"] for one in limited.call("GET", "/v1/webhooks")["webhooks"]]
    check(listed == [webhook], f"a visitor is shown {listed}")
    limited.call("GET", f"/v1/webhooks/{first[1]['id']}", expect=404)
    event = limited.call("GET", f"/v1/deliveries/{delivery}")["event_id"]
    check(len(limited.call("GET", f"/v1/events/{event}")["deliveries"]) == 1, "a visitor sees no delivery")
    limited.call("GET", "/v1/event-types")
    limited.call("GET", "/v1/jobs", expect=403)
    limited.call("POST", f"/v1/deliveries/{delivery}/retry", {}, 202)
    settled(stage, customer, delivery, "succeeded", 2)
    check(whole.call("GET", "/v1/portal/session")["session_id"] == name, "a visitor is told of another's session")
    whole.call("DELETE", "/v1/portal/session", expect=204)
    unused = provider.call("POST", path, {}, 201)["session_id"]
    provider.call("DELETE", f"{path}/{unused}", expect=204)
    provider.call("DELETE", f"{path}/{name}", expect=404)
    provider.call("DELETE", path, expect=204)


def the_portals_pages(stage: Stage) -> None:
    """A visitor's way through the function that has no right and calls the API for all: in, a page, a change, and out."""
    customer = stage.customer("standard")
    cookie: dict[str, str] = {}
    webhook = customer.webhook(stage.receivers.url("pages"), ["invoice.*"], name="Seen on a page")
    link = stage.provider("portal:write").call("POST", f"/v1/tenants/{customer.tenant}/portal", {}, 201)["url"]

    def page(path: str, status: int = 200) -> str:
        told = stage.world.ask("GET", path, cookie)
        check(told["statusCode"] == status, f"the page {path} is answered by {told['statusCode']}: {told.get('body')}")
        return told["body"]

    def press(shown: str, path: str, **typed: str) -> dict:
        """Posts the form of a page that leads to this path, with what is hidden in it."""
        (form,) = [form for form in re.findall(r"<form.*?</form>", shown, re.DOTALL) if f'{path}"' in form.partition(">")[0]]
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"} | cookie
        told = stage.world.ask("POST", f"/portal/{path}", headers, urlencode(hidden | typed).encode())
        check(told["statusCode"] == 303, f"the form to {path} is answered by {told['statusCode']}: {told.get('body')}")
        return told

    page("/portal", 401)
    entered = press(page(urlsplit(link).path), "enter")
    cookie["cookie"] = entered["cookies"][0].partition(";")[0]
    check(stage.world.ask("GET", "/portal", cookie)["statusCode"] == 303, "who is in is not led to the webhooks")
    check("Seen on a page" in page("/portal/webhooks"), "a visitor's webhook is not on the page")
    press(page(f"/portal/webhooks/{webhook}"), f"webhooks/{webhook}/pause")
    check(customer.call("GET", f"/v1/webhooks/{webhook}")["status"] != "active", "a webhook that a visitor paused goes on")
    left = press(page("/portal/webhooks"), "leave")
    check("Max-Age=0" in left["cookies"][0], "who signs out keeps the cookie")


def a_tenant_by_its_providers_own_id(stage: Stage) -> None:
    admin, path = stage.admin, "/v1/tenants/ext:customer-4711"
    body = {"name": "Acme", "plan": "pro", "metadata": {"crm": "0042-17"}}
    made = admin.call("PUT", path, body, 201)
    check(admin.call("PUT", path, body)["id"] == made["id"], "the same again is another tenant")
    admin.call("PATCH", path, {"external_id": "customer-4712"})
    admin.call("GET", path, expect=404)
    admin.call("POST", "/v1/tenants", body | {"external_id": "customer-4712"}, 409)
    admin.call("DELETE", "/v1/tenants/ext:customer-4712", expect=202)


def the_smoke_tests_receiver(stage: Stage) -> None:
    """It opens what the operator's call has sealed, and knows a signature that is not its secret's."""
    path = stage.admin.call("POST", "/v1/smoke/receivers", {}, 201)["path"]
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1," + "A" * 43 + "="}
    status, told = stage.world.call("POST", path, headers | {"content-type": "application/json"}, {"type": "invoice.paid"})
    check((status, told["error"]["code"]) == (401, "unauthorized"), f"a signature of nobody's is this receiver's: {told}")
    refusing = stage.admin.call("POST", "/v1/smoke/receivers", {"refuse_seconds": 600}, 201)["path"]
    status, told = stage.world.call("POST", refusing, headers | {"content-type": "application/json"}, {})
    check(status == 503, f"it was made to refuse: {told}")


def a_tenant_that_is_deleted(stage: Stage) -> None:
    """With keys, webhooks, what waits for them, what runs, a remembered call and jobs: all of it goes, its name too."""
    world, admin, customer, rows = stage.world, stage.admin, stage.customer("standard"), Rows(stage)
    path = f"/v1/tenants/{customer.tenant}"
    admin.call("PATCH", path, {"external_id": "leaving"})
    stage.receivers.set("leaving", Manner(422))
    body = {
        "url": stage.receivers.url("leaving"),
        "events": ["*"],
        "retry_schedule": [3600],
        "filter": {"event": [{"exists": True}]},
        "headers": {"x-team": "billing"},
    }
    keyed = customer.headers | {"idempotency-key": "the first webhook"}
    status, told = world.call("POST", "/v1/webhooks/create", keyed, body)
    check(status == 201, f"no webhook was made: {told}")
    webhook = told["id"]
    waiting = delivered_to(stage, customer, webhook)
    check(admin.call("GET", f"{path}/stats")["deliveries"]["retrying"] == 1, "what waits is not counted")
    with stage.spoiling("LedgerRole", "Query", webhook):
        customer.call("POST", f"/v1/webhooks/{webhook}/recover", {"since": ago(600)}, 202)
    with stage.spoiling("LedgerRole", "Query", webhook):
        customer.call("POST", f"/v1/webhooks/{webhook}/cancel-pending", {}, 202)
    for dialect in ("nouvel", "netraflow"):
        scopes = {"dialect": dialect, "scopes": ["jobs:read", "jobs:write"]}
        key = {"authorization": f"Bearer {admin.call('POST', f'{path}/keys', scopes, 201)['key']}"}
        task = {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "capabilities": ["transcription"]}
        generate = {"urls": ["https://shop.example/1"], "webhookUrl": stage.receivers.url("leaving")}
        starts = {"nouvel": ("/api/v1/generate", generate), "netraflow": ("/v1/jobs", task)}
        status, told = world.call("POST", starts[dialect][0], key, starts[dialect][1])
        check(status in (200, 201), f"no job was started: {told}")
    world.settle()
    admin.call("DELETE", path, expect=202)
    deletion = {"pk": "DELETIONS", "sk": f"TENANT#{customer.tenant}"}
    # The time has passed in which somebody may still have been let in.
    rows.change("ConfigTable", deletion, since=s(ago(600)))
    check(world.sweep()["deletions"], "the sweep deletes nobody")
    admin.call("GET", path, expect=404)
    admin.call("GET", "/v1/tenants/ext:leaving", expect=404)
    of_tenant = [row for row in world.rows("ConfigTable") if customer.tenant in json.dumps(row)]
    check(len(of_tenant) == 1, f"more than a tombstone is left: {of_tenant}")
    check(customer.tenant not in json.dumps(world.rows("JobsTable")), "a job is left")
    row = next(row for row in world.rows("DeliveriesTable") if row["id"]["S"] == waiting)
    check(row["reason"] == s("tenant_deleted"), f"what waited is not called off: {row}")


# ---------------------------------------------------------------- webhooks and events


def webhooks(stage: Stage) -> None:
    customer = stage.customer("standard")
    listener = customer.webhook(stage.receivers.url("told"), ["webhook.*"])
    webhook = customer.webhook(stage.receivers.url("well"), ["invoice.*"], description="the first", headers={"X-Own": "1"})
    change = {"events": ["invoice.*", "order.paid"], "rate_limit": 50, "headers": {"x-own": "***"}, "metadata": {"a": "b"}}
    customer.call("PATCH", f"/v1/webhooks/{webhook}", change)
    shown = customer.call("GET", f"/v1/webhooks/{webhook}")
    check((shown["rate_limit"], shown["headers"]) == (50, {"x-own": "***"}), f"a change of a webhook was lost: {shown}")
    customer.call("POST", f"/v1/webhooks/{webhook}/disable")
    check(customer.call("POST", f"/v1/webhooks/{webhook}/enable", {})["status"] == "active", "it is not enabled again")
    wanted = {"data": {"amount": [{"numeric": [">", 10]}]}}
    tried = {"filter": wanted, "event": "order.paid", "data": {"amount": 5}}
    check(not customer.call("POST", "/v1/webhooks/filter/test", tried)["matches"], "a filter lets everything through")
    changed = customer.call("PATCH", f"/v1/webhooks/{webhook}", {"filter": wanted})
    check(changed["filter"] == wanted, "a webhook's filter was lost")
    customer.call("PATCH", f"/v1/webhooks/{webhook}", {"filter": None})
    customer.call("POST", f"/v1/webhooks/{webhook}/secret/rotate", {})
    check(len(customer.call("GET", "/v1/webhooks")["webhooks"]) == 2, "it is not listed")
    delivery = delivered_to(stage, customer, webhook, "order.paid")
    settled(stage, customer, delivery, "succeeded", 1)
    shown = customer.call("POST", f"/v1/webhooks/{webhook}/preview", {"event": "order.paid", "data": {}})
    check(shown["would_send"] and "webhook-signature" in shown["request"]["headers"], f"nobody is shown what is sent: {shown}")
    test = customer.call("POST", f"/v1/webhooks/{webhook}/test", {"event": "order.test"}, 202)
    stage.world.settle()
    check(settled(stage, customer, test["delivery_id"], "succeeded", 1)["test"], "a test is none")
    event = customer.delivery(delivery)["event_id"]
    headers = {"webhook-id": event, "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1," + "A" * 43 + "="}
    asked = {"webhook_id": webhook, "headers": headers, "body": "{}"}
    check(customer.call("POST", "/v1/verify", asked)["cause"] == "wrong_secret", "a signature of nobody's is somebody's")
    customer.call("DELETE", f"/v1/webhooks/{webhook}", expect=204)
    customer.call("GET", f"/v1/webhooks/{webhook}", expect=404)
    customer.call("GET", "/v1/nowhere", expect=404)
    # Two creations, three changes, a disabling, an enabling, a rotation and a deletion.
    stage.world.until("nine changes to be told", lambda: stage.receivers.posts["/told"] == 9)
    customer.call("DELETE", f"/v1/webhooks/{listener}", expect=204)


def ways_in(stage: Stage) -> None:
    """HTTP one by one and many at once, again with the same key, over the bus, by invocation, and as a producer's row."""
    world, customer = stage.world, stage.customer("nur")
    webhook = customer.webhook(stage.receivers.url("ways-in"), ["*"])
    one = {"event": "dubbing.completed", "data": {"by": "http"}, "id": "the first"}
    first = customer.call("POST", "/v1/events", one, 202)["id"]
    check(customer.call("POST", "/v1/events", one, 202)["id"] == first, "the same again is another event")
    provider = stage.provider("events:write")
    batch = [one | {"id": f"batch {number}", "tenant_id": customer.tenant} for number in range(3)]
    provider.call("POST", "/v1/events/batch", {"events": batch}, 202)
    detail = {"tenant_id": customer.tenant, "event": "dubbing.completed", "data": {"by": "bus"}}
    world.put_on_bus("EventsFunction", "Postrider Event", detail)
    world.put_on_bus("EventsFunction", "Postrider Event", detail | {"event": "Not a type"})
    check(len(world.receive("TriggersQueue")) == 1, "what the bus brought was wrong, and is not set aside")
    told = world.invoke("EventsFunction", detail | {"data": {"by": "invocation"}})
    check("id" in told, f"an invocation is answered by {told}")
    producer = {"tenant_id": s(customer.tenant), "id": s("evt_producer"), "event": s("dubbing.completed"), "data": s("{}")}
    times = {"timestamp": s(ago(0)), "expires_at": {"N": str(int(time.time()) + 200 * DAY)}}
    Rows(stage).put("EventsTable", producer | times)
    world.until("seven deliveries", lambda: stage.receivers.posts["/ways-in"] == 7)
    shown = customer.call("GET", f"/v1/events/{first}")
    check(len(shown["deliveries"]) == 1, f"the event does not show its delivery: {shown}")
    page = customer.call("GET", f"/v1/webhooks/{webhook}/deliveries?limit=4")
    rest = customer.call("GET", f"/v1/webhooks/{webhook}/deliveries?limit=4&cursor={page['pagination']['next_cursor']}")
    check(len(page["deliveries"] + rest["deliveries"]) == 7, "the ledger does not list seven")
    # Found in the list, sent to one that was made later, and removed.
    asked = f"/v1/events?tenant_id={customer.tenant}&event=dubbing.completed"
    finder = stage.provider("deliveries:read")
    world.until("seven events in the list", lambda: len(finder.call("GET", asked)["events"]) == 7)
    later = customer.webhook(stage.receivers.url("later"), ["dubbing.failed"])
    customer.call("POST", f"/v1/events/{first}/send", {"webhook_id": later}, 202)
    customer.call("POST", f"/v1/events/{first}/send", {"webhook_id": later}, 409)
    world.until("the event that was sent by hand", lambda: stage.receivers.posts["/later"] == 1)
    customer.call("DELETE", f"/v1/events/{first}/data", expect=204)
    check(customer.call("GET", f"/v1/events/{first}")["data"] is None, "what was removed is shown")
    check(customer.call("POST", "/v1/events", one, 409)["error"]["code"] == "event_expunged", "a key is free again")
    # The stream brings a batch again, as it may.
    # What was removed since stands in the stream as it was put, and not as its row is now.
    rows = [row for row in world.rows("EventsTable") if row["tenant_id"]["S"] == customer.tenant and "data" in row]
    world.fan_out(rows)
    world.settle()
    check(stage.receivers.posts["/ways-in"] == 7, "what came again was sent again")


def event_types(stage: Stage) -> None:
    """Made, changed, imported, deleted; and what is published held to them, a producer's row too."""
    admin, customer = stage.admin, stage.customer("standard")
    schema = {"type": "object", "required": ["amount"]}
    keyed = admin.headers | {"idempotency-key": "the first type"}
    made = {"name": "invoice.typed", "schema": schema, "example": {"amount": 1}}
    first, again = [stage.world.call("POST", "/v1/event-types", keyed, made) for _ in range(2)]
    check((first[0], first) == (201, again), f"a creation that comes again is answered otherwise: {first}, {again}")
    provider = stage.provider("event_types:write")
    provider.call("PATCH", "/v1/event-types/invoice.typed", {"description": "It is typed."})
    check(customer.call("GET", "/v1/event-types/invoice.typed")["description"] == "It is typed.", "a change of a type was lost")
    document = {"openapi": "3.1.1", "webhooks": {"invoice.imported": {"post": {}}}}
    check(provider.call("POST", "/v1/event-types/import", document)["created"] == ["invoice.imported"], "nothing is imported")
    listed = [one["name"] for one in customer.call("GET", "/v1/event-types?prefix=invoice.")["event_types"]]
    check(listed == ["invoice.imported", "invoice.typed"], f"{listed} are listed")
    customer.call("POST", "/v1/events", {"event": "invoice.typed", "data": {}}, 422)
    provider.call("DELETE", "/v1/event-types/invoice.typed", expect=204)


def jobs(stage: Stage) -> None:
    """Of projects and of a task: started, listed, reported on by HTTP and over the bus, cancelled, told of."""
    world, worker = stage.world, stage.provider("jobs:report")
    nouvel, netraflow = stage.customer("nouvel", "free"), stage.customer("netraflow")
    body = {"urls": ["https://shop.example/1"], "variantCount": 1, "webhookUrl": stage.receivers.url("job-of-projects")}
    job = nouvel.call("POST", "/api/v1/generate", body)["jobId"]
    shown = nouvel.call("GET", f"/api/v1/jobs/{job}")
    nouvel.call("GET", "/api/v1/jobs")
    nouvel.call("GET", "/api/v1/nowhere", expect=404)
    report = {"projectId": shown["projects"][0]["id"], "status": "completed", "videoUrl": "https://cdn.example/1.mp4"}
    worker.call("POST", f"/api/v1/jobs/{job}/report", {"projects": [report]})
    stage.receivers.set("job-of-a-task", Manner(500))
    task = {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "capabilities": ["transcription"]}
    task["webhook_url"] = stage.receivers.url("job-of-a-task")
    started = netraflow.call("POST", "/v1/jobs", task, 201)["data"]["job_id"]
    cancelled = netraflow.call("POST", "/v1/jobs", task, 201)["data"]["job_id"]
    netraflow.call("POST", f"/v1/jobs/{cancelled}/cancel", {})
    netraflow.call("GET", f"/v1/jobs/{started}")
    check(len(netraflow.call("GET", "/v1/jobs")["data"]) >= 1, "a job is not listed")
    netraflow.call("GET", "/v1/jobs/a/b/c", expect=404)
    worker.call("POST", f"/v1/jobs/{started}/report", {"status": "processing"})
    detail = {"tenant_id": netraflow.tenant, "job_id": started, "status": "completed", "credits_charged": 5}
    world.put_on_bus("JobsFunction", "Postrider Job", detail)
    world.put_on_bus("JobsFunction", "Postrider Job", detail | {"status": "done"})
    notes = [json.loads(message["Body"]) for message in world.receive("TriggersQueue")]
    check(any(note["detail_type"] == "Postrider Job" for note in notes), "a wrong report is not set aside")
    world.until("the job of projects to be told of", lambda: stage.receivers.posts["/job-of-projects"])
    world.until("the job of a task to be told of", lambda: stage.receivers.posts["/job-of-a-task"])
    found = netraflow.call("GET", f"/v1/deliveries?job_id={started}")["deliveries"]
    check([one["status"] for one in found] == ["retrying"], f"the job's delivery is {found}")
    # Its retry is lost, and the sweep finds it.
    delivery = found[0]["id"]
    row = next(row for row in world.rows("DeliveriesTable") if row["id"]["S"] == delivery)
    Rows(stage).put("DeliveriesTable", row | {"due_at": s(ago(900)), "next_attempt_at": s(ago(900))})
    stage.receivers.set("job-of-a-task", Manner(204))
    check(world.sweep()["rescued"], "the job's delivery was not rescued")
    netraflow.call("GET", f"/v1/deliveries?job_id={started}")
    settled(stage, netraflow, delivery, "succeeded", 2)
    netraflow.call("POST", f"/v1/deliveries/{delivery}/retry", {}, 202)
    settled(stage, netraflow, delivery, "succeeded", 3)
    asked = {"since": ago(3600)}
    counted = netraflow.call("POST", "/v1/jobs/recover", asked | {"count_only": True})["data"]
    check(counted == {"found": 0, "complete": True}, f"what was delivered counts as missed: {counted}")
    begun = netraflow.call("POST", "/v1/jobs/recover", asked, 202)["data"]["recovery_id"]
    check(netraflow.call("GET", f"/v1/jobs/recover/{begun}")["data"]["status"] == "done", "so little is left to a sweep")
    begun = nouvel.call("POST", "/api/v1/jobs/recover", asked, 202)["recovery_id"]
    check(nouvel.call("GET", f"/api/v1/jobs/recover/{begun}")["status"] == "done", "so little is left to a sweep")


def quotas(stage: Stage) -> None:
    """A tenant's events are counted, whoever publishes them, and refused beyond its quota."""
    customer, rows = stage.customer("standard"), Rows(stage)
    stage.admin.call("PATCH", f"/v1/tenants/{customer.tenant}", {"quotas": {"events_per_second": 1, "webhooks": 1}})
    times = {"timestamp": s(ago(0)), "expires_at": {"N": str(int(time.time()) + 200 * DAY)}}
    for number in range(90):
        row = {"tenant_id": s(customer.tenant), "id": s(f"evt_{number}"), "event": s("invoice.paid"), "data": s("{}")}
        rows.put("EventsTable", row | times)
        if number % 30 == 29:
            # What a batch has counted is written with the next one.
            stage.world.settle()
    answers = {
        stage.world.call("POST", "/v1/events", customer.headers, {"event": "invoice.paid", "data": {}})[0] for _ in range(40)
    }
    check(answers == {202, 429}, f"a quota's answers are {answers}")
    customer.webhook(stage.receivers.url("quotas"), ["*"])
    again = {"url": stage.receivers.url("quotas"), "events": ["*"]}
    customer.call("POST", "/v1/webhooks/create", again, 429)


# ---------------------------------------------------------------- attempts


def retries(stage: Stage) -> None:
    """By a delay, by a schedule, after a pause that the receiver asks for; and what is given up is told of."""
    world, customer = stage.world, stage.customer("standard")
    # First, since a function remembers for a while that nobody asks for notices.
    listener = customer.webhook(stage.receivers.url("notices"), ["webhook.delivery_failed"])
    stage.receivers.set("failing", Manner(422))
    soon = customer.webhook(stage.receivers.url("failing"), ["*"], retry_schedule=[1, 3600])
    delivery = delivered_to(stage, customer, soon)
    settled(stage, customer, delivery, "retrying", 2)
    check(world.fire_schedules(), "no schedule was made")
    settled(stage, customer, delivery, "failed", 3)
    customer.call("DELETE", f"/v1/webhooks/{soon}", expect=204)
    stage.receivers.set("busy", Manner(429, headers={"retry-after": "1"}))
    busy = customer.webhook(stage.receivers.url("busy"), ["*"], retry_schedule=[1])
    delivery = delivered_to(stage, customer, busy)
    stage.receivers.set("busy", Manner(422))
    settled(stage, customer, delivery, "failed", 2)
    world.until("a notice of what failed", lambda: stage.receivers.posts["/notices"])
    customer.call("DELETE", f"/v1/webhooks/{busy}", expect=204)
    customer.call("DELETE", f"/v1/webhooks/{listener}", expect=204)


def failures_together(stage: Stage) -> None:
    """What fails soon after another at one webhook is counted, and told by a sweep."""
    world, customer, rows = stage.world, stage.customer("standard"), Rows(stage)
    customer.webhook(stage.receivers.url("told-together"), ["webhook.delivery_failed"])
    stage.receivers.set("failing-often", Manner(422))
    webhook = customer.webhook(stage.receivers.url("failing-often"), ["invoice.*"], retry_schedule=[])
    failed = [delivered_to(stage, customer, webhook) for _ in range(3)]
    counted = [one for one in failed if "due_at" in rows.get("DeliveriesTable", endpoint_id=webhook, id=one)]
    check(len(counted) == 2, f"the first is told at once, and two of {failed} are counted: {counted}")
    for delivery in counted:
        rows.delivery(delivery, due_at=s(ago(120)))
    rows.change("ConfigTable", {"pk": f"TENANT#{customer.tenant}", "sk": "FAILURES"}, counted_at=s(ago(200)))
    check(world.sweep()["notices"] == 1, "they are not told together")
    world.until("two notices", lambda: stage.receivers.posts["/told-together"] == 2)
    check(not rows.get("ConfigTable", pk="FAILURES", sk=customer.tenant), "each sweep would look for nothing")


def gone(stage: Stage) -> None:
    """A receiver that answers 410 is left alone, and its owner hears of it."""
    customer = stage.customer("standard")
    stage.receivers.set("gone", Manner(410))
    webhook = customer.webhook(stage.receivers.url("gone"), ["invoice.paid"])
    customer.webhook(stage.receivers.url("disabled"), ["webhook.disabled"])
    delivery = delivered_to(stage, customer, webhook)
    check(customer.delivery(delivery)["status"] == "failed", "it is still tried")
    check(customer.call("GET", f"/v1/webhooks/{webhook}")["status"] == "disabled", "it is not disabled")
    stage.world.until("webhook.disabled", lambda: stage.receivers.posts["/disabled"])


def late(stage: Stage) -> None:
    """The owner cancels, and asks for another, while a POST is out: it is on record all the same."""
    customer = stage.customer("standard")
    webhook = customer.webhook(stage.receivers.url("late"), ["*"], retry_schedule=[3600])

    def cancel() -> None:
        (delivery,) = customer.deliveries(webhook)
        customer.call("POST", f"/v1/deliveries/{delivery['id']}/cancel", {}, 202)

    stage.receivers.set("late", Manner(meanwhile=cancel))
    delivery = delivered_to(stage, customer, webhook)
    shown = settled(stage, customer, delivery, "succeeded", 1)
    check(shown["attempts"][0]["status_code"] == 204, f"the late attempt is not on record: {shown}")


def counts(stage: Stage) -> None:
    """What became of a webhook's deliveries, counted; and all that waits for it called off."""
    customer = stage.customer("standard")
    stage.receivers.set("unwilling", Manner(500))
    webhook = customer.webhook(stage.receivers.url("unwilling"), ["*"], retry_schedule=[3600])
    delivery = delivered_to(stage, customer, webhook)
    settled(stage, customer, delivery, "retrying", 1)
    counted = customer.call("GET", f"/v1/webhooks/{webhook}/stats")
    check(counted["deliveries"]["retrying"] == 1 and counted["outcomes"] == {"status_500": 1}, f"miscounted: {counted}")
    path = f"/v1/webhooks/{webhook}/cancel-pending"
    begun = customer.call("POST", path, {}, 202)
    check(begun["found"] == 1 and begun["complete"], f"it still waits: {begun}")
    check(customer.call("GET", f"{path}/{begun['cancellation_id']}") == begun, "it has gone on")
    check(customer.delivery(delivery)["status"] == "cancelled", "it is not called off")
    with stage.spoiling("LedgerRole", "Query", webhook):
        begun = customer.call("POST", path, {}, 202)
    check(not begun["complete"] and stage.world.sweep()["recoveries"] == 1, f"no sweep goes on with it: {begun}")


def finding(stage: Stage) -> None:
    """Deliveries by all that they can be asked for, page by page, and the request of one made again."""
    customer = stage.customer("standard")
    stage.receivers.set("found", Manner(404, headers={"x-request-id": "4711", "set-cookie": "session=1"}))
    webhook = customer.webhook(stage.receivers.url("found"), ["*"], retry_schedule=[3600])
    made = [delivered_to(stage, customer, webhook) for _ in range(3)]
    shown = settled(stage, customer, made[0], "retrying", 1)
    kept = shown["attempts"][0]["response_headers"]
    check(kept["x-request-id"] == "4711" and "set-cookie" not in kept, f"other headers are kept: {kept}")
    request = customer.call("GET", f"/v1/deliveries/{made[0]}?include=request")["request"]
    check(request["left_out"] == ["webhook-signature"] and request["body"], f"its request is not made again: {request}")
    span = "since=2026-01-01T00:00:00Z&until=2099-01-01T00:00:00Z"
    filters = ("status=undelivered", f"status=retrying&outcome=status_404&event=invoice.paid&{span}")
    for query in (*filters, f"status=undelivered&{span}", f"webhook_id={webhook}&status=undelivered&outcome=status_404"):
        found: list[str] = []
        cursor = ""
        for _ in range(9):
            page = customer.call("GET", f"/v1/deliveries?{query}&limit=1{cursor}")
            found += [delivery["id"] for delivery in page["deliveries"]]
            if not page["pagination"]["has_more"]:
                break
            cursor = f"&cursor={page['pagination']['next_cursor']}"
        check(sorted(found) == sorted(made), f"{query} finds {found} of {made}")


STORIES: dict[str, Callable[[Stage], None]] = {
    "the API's document": document,
    "tenants and their keys": tenants_and_keys,
    "a tenant's portal": a_portal,
    "the portal's pages": the_portals_pages,
    "a tenant by its provider's own id": a_tenant_by_its_providers_own_id,
    "the smoke test's receiver": the_smoke_tests_receiver,
    "a tenant that is deleted": a_tenant_that_is_deleted,
    "webhooks": webhooks,
    "every way in": ways_in,
    "event types": event_types,
    "jobs": jobs,
    "quotas": quotas,
    "retries": retries,
    "failures told together": failures_together,
    "a receiver that is gone": gone,
    "late attempts": late,
    "counts and cancellations": counts,
    "finding deliveries": finding,
}
