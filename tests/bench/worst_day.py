"""What the largest tenant of each plan can cost in a day: quotas times the counts of a delivery times the list prices.

Run by itself it writes the table of docs/limits.md anew; `test_worst_day.py` holds the page to it."""

import dataclasses
import json
import math
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template"))

from bounds import bounds, deployed
from facts import facts

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "limits.md"
# What is written anew lies between these.
DAYS = "<!-- worst day -->\n", "\n<!-- end -->"
NOTICES = "<!-- notices -->\n", "\n<!-- end of notices -->"
FLOOD = "<!-- flood -->", "<!-- end of flood -->"
PAGES = "<!-- flood of pages -->", "<!-- end of flood -->"
PRICES = json.loads((ROOT / "tests/bench/prices.json").read_text())
PRICE = {name: price["dollars"] for name, price in PRICES["prices"].items()}
ASSUMED = {name: assumed["value"] for name, assumed in PRICES["assumed"].items()}
COUNTS = json.loads((ROOT / "tests/bench/counts.json").read_text())

DAY = 86_400
MILLION = 1e6
MB = 256
BATCH = 10
# Of first attempts, of later ones, and of either for whoever is slow.
QUEUES = ("Deliver", "Retry", "Slow")
# The standard retry schedule's, after the first attempt.
RETRIES = 9
# Bytes of `data`: as in every other figure of the bench, and the most that is taken.
SMALL, LARGEST = 450, 256 * 1024
MINUTES = DAY // 60
# Webhooks of a tenant that are told of at once within a minute, and by one look one by one.
MOST_WEBHOOKS = int(bounds()["domain::failures::MOST_WEBHOOKS"])
# A notice that is written with its record: the record's unit and the event's, twice, less the record's own; and the claim to
# tell of it, after a consistent read.
AT_ONCE_UNITS, AT_ONCE_READS = 3 + 1, 1
# One that tells of many: its event's unit in a transaction; that transaction's own row and its place in a list, and the two
# writes that say that failures are counted; the row that is read before, and the least that is read of sixteen lists.
TOGETHER_UNITS, LOOK_UNITS, LOOK_READS = 2, 2 + 2 + 2, 1 + 16 / 2
# Of an event's row beside its data; of a POST and its answer beside the body; of a kept connection's TLS.
ROW, POST = 300, 350
SECONDS = (2 * ASSUMED["aws_call_ms"] + ASSUMED["receiver_ms"]) / 1000


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a tenant of it may do."""

    webhooks: int
    events_per_second: int
    # By hand, a second and webhook.
    retries_per_second: int = 1


@dataclasses.dataclass(frozen=True)
class Stack:
    """What all tenants together get through: functions at once, and AWS's own quota of a table."""

    first_attempts: int
    retries: int
    # Attempts of either kind, at whoever is slow or takes more than his share.
    slow: int
    table_units: int = ASSUMED["table_units"]
    calls_per_second: int = 0

    def attempts(self, functions: int) -> float:
        """A day, in full batches."""
        return functions * BATCH / SECONDS * DAY

    def units(self) -> float:
        return self.table_units * DAY


def plans() -> dict[str, Plan]:
    """As the programs have them, the smallest first."""
    told = {name: Plan(given["webhooks"], given["events_per_second"]) for name, given in facts()["quotas"].items()}
    return dict(sorted(told.items(), key=lambda plan: plan[1].webhooks))


def stack() -> Stack:
    """As the template deploys it to AWS, with the defaults of its parameters."""
    known = deployed()
    first_attempts, retries, slow = (int(known[f"DeliverFrom{queue}Queue.MaximumConcurrency"]) for queue in QUEUES)
    return Stack(first_attempts, retries, slow, calls_per_second=int(known["ApiStage.ThrottlingRateLimit"]))


def event(data: int) -> float:
    """Dollars per million events: the request, the function that takes it, its row."""
    waits = ASSUMED["aws_call_ms"] / 1000 * MB / 1024 * PRICE["lambda_gb_s"]
    return PRICE["api_request"] + PRICE["lambda_request"] + waits + event_units(data) * PRICE["write_unit"]


def listed() -> float:
    """Dollars per million events for their places in the list of events, in full batches."""
    return COUNTS["list of events"]["write units an event"] * PRICE["write_unit"]


def event_units(data: int) -> int:
    return math.ceil((data + ROW) / 1024)


def row() -> float:
    """Dollars per million deliveries that are put and announced, without their attempts."""
    counted = COUNTS["fan-out among 300"]
    return counted["write units"] * PRICE["write_unit"] + counted["read units"] * PRICE["read_unit"] + _sends(counted)


def first_attempt(data: int) -> float:
    """Dollars per million first attempts, in full batches, each of an event of its own."""
    counted = COUNTS["deliveries among 300"]
    return _attempts(counted, 1, counted["deliver dynamodb:BatchGetItem"], data)


def retry(data: int) -> float:
    """Dollars per million retries by the schedule, none of them in company; what nine of them take, by nine."""
    whole, first = COUNTS["refused"], COUNTS["single"]
    counted = {name: (count - first.get(name, 0)) / RETRIES for name, count in whole.items()}
    # The queue is sent what Scheduler has kept.
    scheduled = counted["schedules"] * (PRICE["schedule"] + PRICE["queue_call"])
    return _attempts(counted, 1, counted["deliver dynamodb:BatchGetItem"], data) + scheduled


def by_hand(data: int) -> float:
    """Dollars per million retries by hand: the call, its quota, the round that it begins, and the attempt."""
    waits = 5 * ASSUMED["aws_call_ms"] / 1000 * MB / 1024 * PRICE["lambda_gb_s"]
    quota = PRICE["write_unit"] + PRICE["read_unit"] / 2
    return PRICE["api_request"] + PRICE["lambda_request"] + waits + quota + PRICE["queue_call"] + 2 * retry(data)


def flood(requests_per_second: float) -> float:
    """Dollars a day of requests that are let in and refused by a function, after a read of a key."""
    waits = ASSUMED["aws_call_ms"] / 1000 * MB / 1024 * PRICE["lambda_gb_s"]
    each = PRICE["api_request"] + PRICE["lambda_request"] + waits + PRICE["read_unit"]
    return requests_per_second * DAY * each / MILLION


def flood_of_pages(requests_per_second: float, page: int) -> float:
    """Dollars a day of requests that are each answered with so many bytes, which are read and leave AWS."""
    each = page / 8192 * PRICE["read_unit"] + page * PRICE["egress_gb"] / 1000
    return flood(requests_per_second) + requests_per_second * DAY * each / MILLION


def _attempts(counted: dict[str, float], attempts: float, invocations: float, data: int) -> float:
    units = counted["write units"] * PRICE["write_unit"] + counted["read units"] * PRICE["read_unit"]
    # A larger event is read in more than the unit that is counted.
    units += attempts * (math.ceil((data + ROW) / 4096) - 1) / 2 * PRICE["read_unit"]
    functions = invocations * (PRICE["lambda_request"] + SECONDS * MB / 1024 * PRICE["lambda_gb_s"])
    polls = 2 * invocations * PRICE["queue_call"]
    egress = attempts * (data + POST + ASSUMED["tls_bytes"]) * PRICE["egress_gb"] / 1000
    return units + functions + polls + _sends(counted) + egress


def _sends(counted: dict[str, float]) -> float:
    return sum(count for name, count in counted.items() if "sqs:SendMessage" in name) * PRICE["queue_call"]


@dataclasses.dataclass(frozen=True)
class Day:
    """Dollars, unless it says otherwise."""

    events: float
    deliveries: float
    one_webhook: float
    every_webhook: float
    retries_by_hand: float
    asked_for: float
    let_through: float


def day(plan: Plan, stack: Stack) -> Day:
    events = plan.events_per_second * DAY
    deliveries = events * plan.webhooks
    by_hand_a_day = min(plan.webhooks * plan.retries_per_second * DAY, stack.attempts(stack.retries + stack.slow))
    refused = row() + first_attempt(LARGEST) + RETRIES * retry(LARGEST)
    return Day(
        events=events,
        deliveries=deliveries,
        one_webhook=events * (event(SMALL) + listed() + row() + first_attempt(SMALL)) / MILLION,
        every_webhook=(events * (event(SMALL) + listed()) + deliveries * (row() + first_attempt(SMALL))) / MILLION,
        retries_by_hand=by_hand_a_day * by_hand(SMALL) / MILLION,
        asked_for=(events * (event(LARGEST) + listed()) + deliveries * refused) / MILLION,
        let_through=_let_through(plan, stack),
    )


def _let_through(plan: Plan, stack: Stack) -> float:
    """Of the last: as many events and rows as a table takes, as many attempts as there are functions for. Those for slow webhooks
    make what costs more, and the rest of their time the other."""
    events = min(plan.events_per_second * DAY, stack.units() / event_units(LARGEST))
    rows = min(events * plan.webhooks, stack.units())
    either = stack.attempts(stack.slow)
    firsts = min(rows, stack.attempts(stack.first_attempts))
    retries = min(firsts * RETRIES, stack.attempts(stack.retries) + either)
    either -= max(retries - stack.attempts(stack.retries), 0)
    firsts = min(rows, firsts + either)
    parts = events * (event(LARGEST) + listed()) + rows * row() + firsts * first_attempt(LARGEST) + retries * retry(LARGEST)
    return parts / MILLION


@dataclasses.dataclass(frozen=True)
class Told:
    """What follows in a minute from whatever fails, where every webhook fails and every webhook also asks for notices."""

    notices: int
    deliveries: int
    # Dollars of these, taken at their first attempt and refused ten times.
    taken: float
    refused: float


def told_of(plan: Plan) -> Told:
    at_once = min(plan.webhooks, MOST_WEBHOOKS)
    # One more for all others, where there are any.
    together = at_once + (plan.webhooks > at_once)
    deliveries = (at_once + together) * plan.webhooks
    units = at_once * AT_ONCE_UNITS + together * TOGETHER_UNITS + LOOK_UNITS
    reads = at_once * AT_ONCE_READS + LOOK_READS
    notices = units * PRICE["write_unit"] + reads * PRICE["read_unit"] + (at_once + together) * PRICE["bus_event"]
    taken = row() + first_attempt(SMALL)
    return Told(
        notices=at_once + together,
        deliveries=deliveries,
        taken=(notices + deliveries * taken) / MILLION,
        refused=(notices + deliveries * (taken + RETRIES * retry(SMALL))) / MILLION,
    )


def notices(plans: dict[str, Plan]) -> str:
    head = ("a minute of", "notices", "deliveries of them", "all taken at once", "all refused ten times", "the same for a day")
    lines = [head, tuple("---" for _ in head)]
    for name, plan in plans.items():
        told = told_of(plan)
        sums = (f"${told.taken:,.4f}", f"${told.refused:,.3f}", dollars(told.refused * MINUTES))
        lines.append((name, f"{told.notices:,}", f"{told.deliveries:,}", *sums))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table(plans: dict[str, Plan], stack: Stack) -> str:
    head = (
        "a day of",
        "events",
        "deliveries",
        "to one webhook",
        "to every webhook",
        "retries by hand",
        "the worst",
        "of it let through",
    )
    lines = [head, tuple("---" for _ in head)]
    for name, plan in plans.items():
        told = day(plan, stack)
        counts = [f"{told.events:,.0f}", f"{told.deliveries:,.0f}"]
        sums = (told.one_webhook, told.every_webhook, told.retries_by_hand, told.asked_for, told.let_through)
        lines.append((name, *counts, *(dollars(each) for each in sums)))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"


def written(text: str) -> str:
    """A page with the table and the flood put in their places."""
    text = _between(text, DAYS, table(plans(), stack()))
    text = _between(text, NOTICES, notices(plans()))
    calls = stack().calls_per_second
    text = _between(text, FLOOD, dollars(flood(calls)))
    return _between(text, PAGES, dollars(flood_of_pages(calls, int(bounds()["api::pages::MAX_BYTES"]))))


def _between(text: str, marks: tuple[str, str], new: str) -> str:
    begin, end = map(re.escape, marks)
    assert re.search(f"{begin}.*?{end}", text, re.DOTALL), f"{PAGE} has no {marks[0]!r}"
    return re.sub(f"({begin}).*?({end})", lambda found: found[1] + new + found[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
