"""Stories of what goes wrong or takes long: what moves, is parked, waits, is lost and found, and what AWS refuses meanwhile."""

import functools
import json
import time
from typing import Any

from receivers import Manner
from stage import Customer, Stage
from stories import DAY, Rows, ago, check, delivered_to, s, settled

LONG = [3600] * 16


def _full(stage: Stage, customer: Customer, path: str) -> str:
    """A delivery whose row holds more attempts than it has room for, as one of an earlier version may."""
    stage.receivers.set(path, Manner(422, b"no, " * 80))
    delivery = delivered_to(stage, customer, customer.webhook(stage.receivers.url(path), ["*"], retry_schedule=LONG))
    key = {"endpoint_id": f"wh_{delivery[12:28]}", "id": delivery}
    rows = Rows(stage)
    row = rows.get("DeliveriesTable", **key)
    (first,) = row["attempts"]["L"]

    def another(number: int) -> dict:
        told = {"number": {"N": str(number)}, "mark": s(f"mark{number:04}"), "at": s(ago(600 - number))}
        return {"M": first["M"] | told}

    attempts = {"L": [another(number) for number in range(1, 10)]}
    rows.put("DeliveriesTable", row | {"attempts": attempts, "attempt": {"N": "9"}})
    return delivery


def _moved(stage: Stage, delivery: str) -> list[dict]:
    return [row for row in stage.world.rows("DeliveriesTable") if row["endpoint_id"]["S"] == delivery]


def _message(delivery: str, customer: Customer, event: str, attempt: int, **more: Any) -> str:
    told = {"v": 2, "tenant_id": customer.tenant, "endpoint_id": f"wh_{delivery[12:28]}", "event_id": event}
    return json.dumps(told | {"delivery_id": delivery, "attempt": attempt, "round": 1} | more)


def moved_attempts(stage: Stage) -> None:
    """What a row has no room for moves: with a record, with a round by hand, with a dead letter, and while another writes."""
    world, customer = stage.world, stage.customer("standard")
    by_record, by_hand = _full(stage, customer, "by-record"), _full(stage, customer, "by-hand")
    by_letter = _full(stage, customer, "by-letter")
    for delivery in (by_record, by_letter):
        event = customer.delivery(delivery)["event_id"]
        world.send("DeadQueue" if delivery == by_letter else "RetryQueue", _message(delivery, customer, event, 10))
    world.until("an attempt to move others", lambda: _moved(stage, by_record))
    check(len(customer.delivery(by_record)["attempts"]) == 10, "an attempt is missing")
    check(world.sweep()["dead_letters"] == 1, "the dead letter is not on record")
    check(_moved(stage, by_letter), "a dead letter moved nothing")
    customer.call("POST", f"/v1/deliveries/{by_hand}/retry", {}, 202)
    check(_moved(stage, by_hand), "a round by hand moved nothing")
    # While an attempt is out, its row goes on, and others leave it.
    overtaken = _full(stage, customer, "overtaken")
    event = customer.delivery(overtaken)["event_id"]

    def go_on() -> None:
        stage.receivers.set("overtaken", Manner(422))
        customer.call("POST", f"/v1/deliveries/{overtaken}/retry", {}, 202)

    stage.receivers.set("overtaken", Manner(422, meanwhile=go_on))
    world.send("RetryQueue", _message(overtaken, customer, event, 10))
    world.until("the late attempt", lambda: len(customer.delivery(overtaken)["attempts"]) >= 11)


def recoveries(stage: Stage) -> None:
    """One that its caller waits for, and two that sweeps go on with in turn; and of what was never sent."""
    world, customer = stage.world, stage.customer("standard")
    stage.receivers.set("recovered", Manner(422))
    webhooks = [customer.webhook(stage.receivers.url("recovered"), ["*"], retry_schedule=[]) for _ in range(2)]
    first = delivered_to(stage, customer, webhooks[0])
    check(customer.delivery(first)["status"] == "failed", "it has not failed")
    stage.receivers.set("recovered", Manner(204))
    path = f"/v1/webhooks/{webhooks[0]}/recover"
    begun = customer.call("POST", path, {"since": ago(600)}, 202)["recovery_id"]
    check(customer.call("GET", f"{path}/{begun}")["requeued"] == 1, "nothing was recovered")
    settled(stage, customer, first, "succeeded", 2)
    for webhook in webhooks:
        _copy_failed(stage, webhook, 5)
        with stage.spoiling("LedgerRole", "Query", webhook):
            begun = customer.call("POST", f"/v1/webhooks/{webhook}/recover", {"since": ago(7200)}, 202)["recovery_id"]
        check(customer.call("GET", f"/v1/webhooks/{webhook}/recover/{begun}")["status"] == "running", "nothing is left of it")
    check(world.sweep()["recoveries"] == 2, "the sweep went on with none")
    world.purge("RetryQueue")
    # Webhooks that are made later are sent what was published before.
    never = {"since": ago(600), "never_matched": True}
    for webhook in (late := [customer.webhook(stage.receivers.url("recovered"), ["*"]) for _ in range(2)]):
        found = customer.call("POST", f"/v1/webhooks/{webhook}/recover", never | {"count_only": True})["found"]
        check(found >= 1, f"{found} events are found")
    begun = customer.call("POST", f"/v1/webhooks/{late[0]}/recover", never, 202)["recovery_id"]
    check(customer.call("GET", f"/v1/webhooks/{late[0]}/recover/{begun}")["requeued"] >= 1, "nothing was sent")
    with stage.spoiling("LedgerRole", "Query", customer.tenant):
        begun = customer.call("POST", f"/v1/webhooks/{late[1]}/recover", never, 202)["recovery_id"]
    check(world.sweep()["recoveries"] == 1, "the sweep went on with none")
    check(customer.call("GET", f"/v1/webhooks/{late[1]}/recover/{begun}")["requeued"] >= 1, "the sweep sent nothing")


def _copy_failed(stage: Stage, webhook: str, rows: int) -> None:
    """More deliveries of this webhook that have failed."""
    row = next(row for row in stage.world.rows("DeliveriesTable") if row["endpoint_id"]["S"] == webhook)
    row |= {"status": s("failed"), "reason": s("attempts_exhausted")}
    writes = []
    for number in range(rows):
        # Eight characters of time, the webhook's sixteen, and the event's.
        delivery = row["id"]["S"][:28] + f"{number:020}"
        writes.append({"PutRequest": {"Item": row | {"id": s(delivery)}}})
    table = stage.resolved.name("DeliveriesTable")
    for begin in range(0, rows, 25):
        stage.account.client("dynamodb").batch_write_item(RequestItems={table: writes[begin : begin + 25]})


def dead_letters(stage: Stage) -> None:
    """Recorded, told of, set aside, and left where AWS refuses the record; then brought back from quarantine."""
    world, customer = stage.world, stage.customer("standard")
    stage.receivers.set("lettered", Manner(422))
    customer.webhook(stage.receivers.url("told-of-letters"), ["webhook.delivery_failed"])
    soon = customer.webhook(stage.receivers.url("lettered"), ["*"], retry_schedule=[3600, 3600])
    first = delivered_to(stage, customer, soon)
    event = customer.delivery(first)["event_id"]
    letter = _message(first, customer, event, 2)
    world.send("DeadQueue", letter)
    world.send("DeadQueue", "what nobody can read")
    with stage.spoiling("SweepRole", "UpdateItem", first, times=9):
        try:
            world.sweep()
        except Exception as failed:  # noqa: BLE001 - a sweep that was refused says so
            check("errorType" in str(failed), f"the sweep failed otherwise: {failed}")
        else:
            check(False, "a sweep that was refused does not say so")
    world.until("the letter to be seen again", lambda: world.sweep()["dead_letters"] == 1)
    check(world.fire_schedules(), "nothing follows our failure")
    # The fourth failure of ours ends a round, and is told of.
    for attempt in (3, 4, 5):
        row = next(row for row in world.rows("DeliveriesTable") if row["id"]["S"] == first)
        number = int(row["attempt"]["N"]) + 1
        check(number == attempt, f"attempt {number} is next, and not {attempt}")
        world.send("DeadQueue", _message(first, customer, event, attempt))
        check(world.sweep()["dead_letters"] == 1, "the letter is not on record")
    check(customer.delivery(first)["status"] == "failed", "four failures of ours were not enough")
    world.until("a notice", lambda: stage.receivers.posts["/told-of-letters"])


def _webhook_key(customer: Customer, webhook: str) -> dict[str, str]:
    return {"pk": f"TENANT#{customer.tenant}", "sk": f"WEBHOOK#{webhook}"}


def _parked(stage: Stage, customer: Customer, *paths: str) -> list[tuple[str, str]]:
    """Webhooks that are down, each with the delivery that found it out."""
    webhooks = []
    for path in paths:
        stage.receivers.set(path, Manner(503))
        webhooks.append(customer.webhook(stage.receivers.url(path), ["invoice.*"], retry_schedule=[1] * 16))
    customer.publish("invoice.paid")
    stage.world.settle()
    for webhook in webhooks:
        _until_parked(stage, customer, webhook)
    return [(webhook, customer.deliveries(webhook)[0]["id"]) for webhook in webhooks]


def _until_parked(stage: Stage, customer: Customer, webhook: str) -> None:
    def is_down() -> bool:
        shown = customer.call("GET", f"/v1/webhooks/{webhook}")
        return (shown.get("parking") or {}).get("state") == "down"

    stage.world.until("the webhook to be parked", is_down)


def outages(stage: Stage) -> None:
    """Parked, probed, drained after the owner's change; and what the sweep does for those whose ticket is lost."""
    world, customer, rows = stage.world, stage.customer("standard"), Rows(stage)
    customer.webhook(stage.receivers.url("told-of-outages"), ["webhook.failing", "webhook.recovered", "webhook.delivery_failed"])
    (webhook, first), (other, expired), (third, _) = _parked(stage, customer, "down", "down-for-long", "drained-late")
    second = delivered_to(stage, customer, webhook)
    check(customer.delivery(second).get("waiting_for") == "endpoint_outage", "what is new is not parked")
    check(stage.receivers.posts["/down"] < 12, "a parked webhook is sent to all the same")
    stage.receivers.url("up-again")
    customer.call("PATCH", f"/v1/webhooks/{webhook}", {"url": stage.receivers.url("up-again")})
    is_sent = {delivery: functools.partial(_is, customer, delivery, "succeeded") for delivery in (first, second)}
    for delivery, told in is_sent.items():
        world.until(f"{delivery}, which was parked, to be sent", told)
    world.until("word of the outage", lambda: stage.receivers.posts["/told-of-outages"] >= 2)
    # A ticket that is lost, and a delivery that has waited for too long.
    key = _webhook_key(customer, other)
    world.purge("SlowQueue")
    parking = rows.get("ConfigTable", **key)["parking"]["M"]
    rows.change("ConfigTable", key, parking={"M": parking | {"next_at": s(ago(600))}})
    rows.delivery(expired, waits_until=s(ago(1)))
    check(world.sweep()["given_up"] == 1, "what has waited for too long was not given up")
    check(customer.delivery(expired)["reason"] == "endpoint_down", "it has another reason")
    # What was parked by somebody who did not know that it is over, and the end of it.
    stage.receivers.set("down-for-long", Manner(204))
    world.until("the drain's end", lambda: _state(rows, key) == "closing")
    straggler = delivered_to(stage, customer, other)
    settled(stage, customer, straggler, "succeeded", 1)
    parking = rows.get("ConfigTable", **key)["parking"]["M"]
    rows.change("ConfigTable", key, parking={"M": parking | {"next_at": s(ago(7200))}})
    world.sweep()
    check(_state(rows, key) == "", "it does not end")
    # A drain whose ticket is lost.
    key = _webhook_key(customer, third)
    parking = rows.get("ConfigTable", **key)["parking"]["M"]
    rows.change("ConfigTable", key, parking={"M": parking | {"next_at": s(ago(600)), "state": s("draining")}})
    stage.receivers.set("drained-late", Manner(204))
    world.sweep()
    world.until("it to be drained all the same", lambda: _state(rows, key) in ("closing", ""))


def _is(customer: Customer, delivery: str, status: str) -> bool:
    return customer.delivery(delivery)["status"] == status


def _state(rows: Rows, key: dict[str, str]) -> str:
    return rows.get("ConfigTable", **key).get("parking", {}).get("M", {}).get("state", {}).get("S", "")


def limits(stage: Stage) -> None:
    """A webhook that takes one request a second; and what is overdue there is left alone while it waits for its turn."""
    world, customer = stage.world, stage.customer("standard")
    webhook = customer.webhook(stage.receivers.url("limited"), ["*"], rate_limit=1, retry_schedule=[3600])
    events = [{"event": "invoice.paid", "data": {}, "tenant_id": customer.tenant}] * 4
    begun = time.monotonic()
    stage.provider("events:write").call("POST", "/v1/events/batch", {"events": events}, 202)
    world.until("all to be sent", lambda: stage.receivers.posts["/limited"] == 4)
    check(time.monotonic() - begun > 2, "its limit was not kept")
    stage.receivers.set("limited", Manner(422))
    delivery = delivered_to(stage, customer, webhook)
    settled(stage, customer, delivery, "retrying", 1)
    stage.receivers.set("limited", Manner(204))
    Rows(stage).delivery(delivery, due_at=s(ago(900)), next_attempt_at=s(ago(900)))
    check(world.sweep()["rescued"], "it was not rescued")
    settled(stage, customer, delivery, "succeeded", 2)


def slow_webhooks(stage: Stage) -> None:
    """What is for them goes by a queue of their own, whoever sends it."""
    world, customer = stage.world, stage.customer("standard")
    stage.receivers.set("slow", Manner(422, seconds=2.1))
    webhook = customer.webhook(stage.receivers.url("slow"), ["*"], retry_schedule=[1])
    first = delivered_to(stage, customer, webhook)
    stage.receivers.set("slow", Manner(422))
    settled(stage, customer, first, "failed", 2)
    customer.call("PATCH", f"/v1/webhooks/{webhook}", {"retry_schedule": [3600]})
    customer.call("POST", f"/v1/webhooks/{webhook}/recover", {"since": ago(600)}, 202)
    check(_is_waiting(stage, "SlowQueue", first), "what is recovered goes another way")
    settled(stage, customer, first, "retrying", 3)
    Rows(stage).delivery(first, due_at=s(ago(900)), next_attempt_at=s(ago(900)))
    check(world.sweep()["rescued"], "what is overdue was not rescued")
    check(_is_waiting(stage, "SlowQueue", first), "what was rescued goes another way")
    world.settle()
    customer.publish("invoice.paid")
    world.fan_out(world.new_events())
    check(_is_waiting(stage, "SlowQueue", webhook), "what is new goes another way")
    world.settle()
    check(customer.call("GET", "/v1/deliveries?status=undelivered")["deliveries"], "nothing is listed as undelivered")


def _is_waiting(stage: Stage, queue: str, about: str) -> bool:
    """Whether a queue holds a message about something; it stays there."""
    found = stage.world.receive(queue)
    for message in found:
        stage.world.give_back(queue, message)
    return any(about in message["Body"] for message in found)


def quarantine(stage: Stage) -> None:
    """Rows that are no events, a letter of which a row cannot be read, and their redrive."""
    world, customer, rows = stage.world, stage.customer("standard"), Rows(stage)
    stage.receivers.set("redriven", Manner(422))
    webhook = customer.webhook(stage.receivers.url("redriven"), ["*"], retry_schedule=[3600])
    delivery = delivered_to(stage, customer, webhook)
    settled(stage, customer, delivery, "retrying", 1)
    stage.receivers.set("redriven", Manner(204))
    good = {"tenant_id": s(customer.tenant), "event": s("invoice.paid"), "data": s("{}"), "timestamp": s(ago(0))}
    good |= {"expires_at": {"N": str(int(time.time()) + 200 * DAY)}}
    bad = {"broken": {"data": s("none")}, "too_old": {"timestamp": s(ago(3 * DAY))}, "never_mended": {"event": s("Not a type")}}
    for name, wrong in bad.items():
        rows.put("EventsTable", good | wrong | {"id": s(f"evt_{name}")})
    world.settle()
    customer.call("GET", "/v1/events/evt_too_old", expect=404)
    key = _webhook_key(customer, webhook)
    headers = rows.get("ConfigTable", **key)
    rows.change("ConfigTable", key, headers={"N": "7"})
    world.send("DeadQueue", _message(delivery, customer, customer.delivery(delivery)["event_id"], 2))
    world.sweep()
    rows.put("ConfigTable", headers)
    for name in ("broken", "too_old"):
        rows.put("EventsTable", good | {"id": s(f"evt_{name}")})
    told = world.invoke("FanoutFunction", {"redrive": True})
    check(told["redriven"] == 3 and told["left"] >= 1, f"of four, three are mended: {told}")
    world.settle()
    settled(stage, customer, delivery, "succeeded", 2)
    check(stage.receivers.posts["/redriven"] == 4, "what was redriven was not sent")


def unfinished(stage: Stage) -> None:
    """Fan-outs that AWS refuses for once, and one to more webhooks than a turn serves."""
    world, customer, rows = stage.world, stage.customer("standard"), Rows(stage)
    webhook = customer.webhook(stage.receivers.url("unfinished"), ["invoice.*"])
    with stage.spoiling("FanoutRole", "BatchExecuteStatement", webhook):
        customer.publish("invoice.paid")
        world.settle()
    giant = stage.customer("standard")
    webhook = giant.webhook(stage.receivers.url("of-a-giant"), ["invoice.*"])
    pk = f"SUBSCRIPTION#{giant.tenant}#invoice.*"
    subscription = rows.get("ConfigTable", pk=pk, sk=webhook)
    for begin in range(0, 525, 25):
        puts = [{"PutRequest": {"Item": subscription | {"sk": s(f"{webhook[:-8]}{n:08}")}}} for n in range(begin, begin + 25)]
        stage.account.client("dynamodb").batch_write_item(RequestItems={stage.resolved.name("ConfigTable"): puts})
    event = giant.publish("invoice.paid")
    world.fan_out(world.new_events())
    goes_on, failed = stage.resolved.arn("ContinuationQueue"), stage.resolved.arn("UnfinishedQueue")
    about_both = (stage.spoiling("FanoutRole", "GetItem", what) for what in (event, customer.tenant))
    with next(about_both), next(about_both):
        check(_served(stage, goes_on) and _served(stage, failed), "what was refused is done")
    check(not _served(stage, goes_on), "its next turn is not done")
    made = [row for row in world.rows("DeliveriesTable") if row.get("event_id") == s(event)]
    check(len(made) == 526, f"{len(made)} deliveries of 526 were made")
    world.purge("DeliverQueue")
    check(not _served(stage, failed), "what was refused twice is not done")
    world.until("what was refused twice to be sent", lambda: stage.receivers.posts["/unfinished"])


def _served(stage: Stage, queue: str) -> list[str]:
    """Gives fan-out the one message of a queue of its own, once it is to be seen; whether it is to come again: at once, here."""
    (message,) = stage.world.poll(f"a message in {queue}", lambda: stage.world.receive(queue))
    failed = stage.world.serve_queue(queue, "FanoutFunction", [message])
    if failed:
        stage.world.give_back(queue, message)
    return failed


STORIES = {
    "attempts that move": moved_attempts,
    "recoveries": recoveries,
    "dead letters": dead_letters,
    "outages": outages,
    "limits": limits,
    "slow webhooks": slow_webhooks,
    "quarantine": quarantine,
    "fan-outs that are not finished": unfinished,
}
