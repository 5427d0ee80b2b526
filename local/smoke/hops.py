"""The way of an event, hop by hop: what is asked for, what the ledger has of it in the end, and how long it took."""

import datetime
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from smoke import causes
from smoke.customer import Customer
from smoke.patience import MOMENTS
from smoke.place import instant
from smoke.receivers import Receiver, Receivers
from smoke.rows import Finding
from smoke.stack import Stack
from smoke.target import Target

FIRST, FAILING, DELAYED, SCHEDULED = "first", "failing", "delayed", "scheduled"
HOPS = [FIRST, FAILING, DELAYED, SCHEDULED]
# Seconds; each is taken up to a tenth shorter or longer. Below a minute a wait is the queue's, from there on Scheduler's. More
# than one, since the receiver is to be another by the next attempt, and the machine may be busy.
BY_DELAY = [40, 40, 40]
BY_SCHEDULER = [70, 70, 70]
# A first try, and two more for what passes by itself.
SOON = [5, 5]
# A sweep brings what is so late; until then it can be Scheduler alone, who fires within a minute.
BEFORE_A_SWEEP = 110.0
GRACE_SECONDS = 3600
# A first attempt may read a webhook as it was moments ago.
EVENTS_UNTIL_MOVED = 5


class Hops:
    """With three receivers: a good one, one with another secret, and one that refuses."""

    def __init__(self, target: Target, stack: Stack, customer: Customer, receivers: Receivers) -> None:
        self.customer = customer
        self.patience = customer.patience
        self._target = target
        self._stack = stack
        self._fanout, self._deliver = (stack.outputs.get(name, name) for name in ("FanoutFunction", "DeliverFunction"))
        self.good: Receiver = receivers.make()
        self.new: Receiver = receivers.make()
        self.refusing: Receiver = receivers.make(refuses=True)
        self._webhooks: dict[str, str] = {}

    # ------------------------------------------------------------ what each hop shows

    def first(self) -> str:
        self._webhook(FIRST, self.good, SOON)
        begun = time.monotonic()
        event = self.customer.publish(FIRST)
        accepted = time.monotonic() - begun
        delivery = self._succeeded(self._delivery_of(event))
        return f"accepted in {accepted:.1f} s; {times(event, delivery)}"

    def rotation(self) -> str:
        """The old secret is good until its grace ends, and the new one from the first moment: a receiver may change at any."""
        webhook = self._webhooks[FIRST]
        body = {"secret": self.new.secret, "grace_seconds": GRACE_SECONDS}
        self._asked("POST", f"/v1/webhooks/{webhook}/secret/rotate", body)
        self._succeeded(self._delivery_of(self.customer.publish(FIRST)))
        self._asked("PATCH", f"/v1/webhooks/{webhook}", {"url": self.new.url})
        for _ in range(EVENTS_UNTIL_MOVED):
            event = self.customer.publish(FIRST)
            delivery = self._succeeded(self._delivery_of(event))
            if delivery["attempts"][-1]["url"] == self.new.url:
                return f"the receiver with the old secret verifies, and so does one with the new; {times(event, delivery)}"
        raise Finding(f"webhook {webhook} was moved, and {EVENTS_UNTIL_MOVED} events later it is sent to its old URL still")

    def recovery(self) -> str:
        """What is signed with a secret that the receiver does not have is refused, fails, and is recovered once it is mended."""
        webhook = self._webhook(FAILING, self.new, [])
        event = self.customer.publish(FAILING)
        delivery = self._delivery_of(event)
        self.patience.until(lambda: self._is(delivery, "failed", "succeeded"), lambda: self._why(delivery))
        failed = self.customer.delivery(delivery)
        if failed is None or failed["attempts"][-1]["outcome"] != "status_401":
            raise Finding(f"a receiver with another secret should have answered 401: {self._why(delivery)}")
        self._asked("PATCH", f"/v1/webhooks/{webhook}", {"url": self.good.url})
        begun = self._asked("POST", f"/v1/webhooks/{webhook}/recover", {"since": event["timestamp"]}, 202)
        path = f"/v1/webhooks/{webhook}/recover/{begun['recovery_id']}"

        def done() -> dict | None:
            status, told = self.customer.api.ask("GET", path)
            return told if status == 200 and told["status"] == "done" else None

        told = self.patience.until(done, lambda: f"{path} goes on and on: sweeps carry recoveries on, so look at the sweep's log")
        if (told["found"], told["requeued"]) != (1, 1):
            raise Finding(
                f"one delivery had failed; the recovery found {told['found']} and sent {told['requeued']} again ({path})"
            )
        delivered = self._succeeded(delivery)
        return f"refused with 401, failed, found and sent again; {times(event, delivered)}"

    def by_delay(self) -> str:
        return self._retried(DELAYED, BY_DELAY, MOMENTS, lambda _: causes.BY_DELAY)

    def by_scheduler(self) -> str:
        return self._retried(SCHEDULED, BY_SCHEDULER, BEFORE_A_SWEEP, self._no_schedule)

    def ledger(self) -> str:
        """It tells of every event, and of nothing that is undelivered."""
        counted: dict[str, list[str]] = {}

        def look() -> bool | None:
            for hop, webhook in self._webhooks.items():
                _, told = self.customer.api.ask("GET", f"/v1/webhooks/{webhook}/deliveries?limit=50")
                counted[hop] = [one["status"] for one in told.get("deliveries", [])]
            _, told = self.customer.api.ask("GET", "/v1/deliveries?status=undelivered")
            counted["undelivered"] = [one["status"] for one in told.get("deliveries", [{"status": str(told)}])]
            wanted = {hop: ["succeeded"] * count for hop, count in self.customer.published.items()} | {"undelivered": []}
            return True if counted == wanted else None

        self.patience.until(look, lambda: f"published were {self.customer.published}, and the ledger has {counted}")
        total = sum(self.customer.published.values())
        return f"{total} events, {total} deliveries, all succeeded and none undelivered"

    # ------------------------------------------------------------ of what they are made

    def _webhook(self, hop: str, receiver: Receiver, schedule: list[int]) -> str:
        """It signs with the good receiver's secret, wherever it points."""
        self._webhooks[hop] = self.customer.webhook(hop, receiver, self.good.secret, schedule)
        return self._webhooks[hop]

    def _retried(self, hop: str, schedule: list[int], patience: float, by: Any) -> str:
        webhook = self._webhook(hop, self.refusing, schedule)
        event = self.customer.publish(hop)
        delivery = self._delivery_of(event)
        refused = self.patience.until(lambda: self._attempted(delivery), lambda: self._why(delivery))
        if refused["attempts"][0]["outcome"] != "status_503":
            raise Finding(f"the receiver should have answered 503: {causes.of_delivery(refused, self._deliver)}")
        self._asked("PATCH", f"/v1/webhooks/{webhook}", {"url": self.good.url})
        told = refused

        def ended() -> bool | None:
            nonlocal told
            told = self.customer.delivery(delivery) or told
            if told["status"] == "retrying":
                late = datetime.datetime.now(datetime.UTC) - instant(told["next_attempt_at"])
                return True if late.total_seconds() > patience else None
            return True

        self.patience.until(ended, lambda: self._why(delivery), within=2 * (sum(schedule) + patience))
        if told["status"] == "retrying":
            raise Finding(causes.of_retry(told, self._deliver, by(told)))
        if told["status"] != "succeeded":
            raise Finding(causes.of_delivery(told, self._deliver))
        before, last = told["attempts"][-2:]
        waited = (instant(last["at"]) - instant(before["at"])).total_seconds()
        return f"refused with 503, tried again {waited:.0f} s later ({schedule[0]} s were asked for, give or take a tenth)"

    def _no_schedule(self, delivery: dict) -> str:
        name, group = f"{delivery['id']}-{len(delivery['attempts']) + 1}", self._stack.outputs.get("ScheduleGroup", "")
        try:
            self._target.client("scheduler").get_schedule(Name=name, GroupName=group)
        except ClientError as error:
            is_missing = error.response["Error"]["Code"] == "ResourceNotFoundException"
            return causes.by_scheduler(False if is_missing else None)
        except BotoCoreError:
            return causes.by_scheduler(None)
        return causes.by_scheduler(True)

    def _delivery_of(self, event: dict) -> str:
        return self.customer.delivery_of(event, lambda shown: causes.of_event(shown, self._fanout))

    def _attempted(self, delivery: str) -> dict | None:
        told = self.customer.delivery(delivery)
        return told if told and told["attempts"] else None

    def _is(self, delivery: str, *statuses: str) -> dict | None:
        told = self.customer.delivery(delivery)
        return told if told and told["status"] in statuses else None

    def _succeeded(self, delivery: str) -> dict:
        """What will not get better is told at once."""

        def look() -> dict | None:
            told = self.customer.delivery(delivery)
            hopeless = told and told["attempts"] and told["attempts"][-1]["outcome"] in ("status_401", "status_404", "blocked")
            return told if told and (told["status"] in ("succeeded", "failed", "cancelled") or hopeless) else None

        told = self.patience.until(look, lambda: self._why(delivery))
        if told["status"] != "succeeded":
            raise Finding(causes.of_delivery(told, self._deliver))
        return told

    def _why(self, delivery: str) -> str:
        return causes.of_delivery(self.customer.delivery(delivery), self._deliver)

    def _asked(self, method: str, path: str, body: dict, expect: int = 200) -> dict:
        status, told = self.customer.api.ask(method, path, body)
        if status != expect:
            raise Finding(f"{method} {path} answered {status}: {told}")
        return told


def times(event: dict, delivery: dict) -> str:
    """From the event to the attempt, and how long that took; by the stack's own clocks."""
    last = delivery["attempts"][-1]
    until = (instant(last["at"]) - instant(event["timestamp"])).total_seconds()
    tries = f", at attempt {len(delivery['attempts'])}" if len(delivery["attempts"]) > 1 else ""
    return f"attempted {until:.1f} s after it was published{tries}, answered in {last['duration_ms']} ms"
