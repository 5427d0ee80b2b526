"""What a retry writes at the 1st, 20th, 60th and 180th attempt of a delivery, counted on a stack that is up.

The table goes into docs/performance.md. The sources are stilled, so take the stack down afterwards."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from api import Api
from customer import Customer
from flow import Flow
from proxy import Call
from run_dir import RunDir
from running import Running
from scenarios import EVENT, check
from sources import still
from stand import SENDING, Stand
from step import Failed, main, say, step

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- make bench-retries -->", "<!-- end -->"
SHOWN = (1, 20, 60, 180)
# The longest round that a webhook may ask for: its first attempt, and so many more.
RETRIES = [60] * 16
MOST_UNITS = 2


@dataclass
class Written:
    """Units of one attempt: of its record, of the indexes that the record touched, and of what left the row before it."""

    row: float = 0
    indexes: float = 0
    moved: float = 0


def run() -> None:
    running = Running()
    run_dir, stack = RunDir(running.path.parent), running.described
    programs = {name: run_dir.build / f"{name.capitalize()}Function" / "bootstrap" for name in SENDING}
    still(stack)
    stand = Stand(stack, programs, run_dir.path / "bench")
    table = asyncio.run(_measured(stand))
    say(table)
    text = PAGE.read_text()
    begin = text.index(BEGIN)
    PAGE.write_text(text[:begin] + f"{BEGIN}\n{table}\n" + text[text.index(END, begin) :])


async def _measured(stand: Stand) -> str:
    await stand.start()
    answers = {"none": b"", "35 bytes": b'{"error":"temporarily unavailable"}', "256 bytes and more": b"x" * 300}
    columns = {}
    with step(f"count the writes of {SHOWN[-1]} attempts, with {len(answers)} kinds of answers"):
        for name, answer in answers.items():
            columns[name] = await _attempts(stand, answer)
    return _table(columns)


async def _attempts(stand: Stand, answer: bytes) -> list[Written]:
    customer = await asyncio.to_thread(Customer, stand.stack)
    await asyncio.to_thread(customer.endpoints, stand.https.url, EVENT, 1, RETRIES)
    written = []
    stand.https.status, stand.https.body = 503, answer
    try:
        async with stand.flow() as flow:
            (message,) = await flow.fan_out(await flow.publish(customer, EVENT, 1))
            for number in range(1, SHOWN[-1] + 1):
                following = await (flow.deliver([message]) if number == 1 else flow.retry([message]))
                written.append(_written(flow, stand.stack["tables"]["deliveries"]))
                message = following[0] if following else await asyncio.to_thread(_again, stand, customer, message)
    finally:
        stand.https.status, stand.https.body = 204, b""
    return written


def _written(flow: Flow, table: str) -> Written:
    calls = [call for call in flow.calls if call.request.get("TableName") == table and call.units.write]
    updates = [call for call in calls if call.operation == "UpdateItem"]
    check(len(updates) == 1 and updates[0].status == 200, "an attempt is recorded once")
    indexes = _of_indexes(updates[0])
    moved = sum(call.units.write for call in calls if call.operation == "PutItem")
    written = Written(updates[0].units.write - indexes, indexes, moved)
    check(all(call in updates or call.operation == "PutItem" for call in calls), "nothing else is written")
    if written.row > MOST_UNITS or written.indexes > MOST_UNITS:
        raise Failed(f"a retry writes {written}")
    return written


def _of_indexes(call: Call) -> float:
    indexes = call.answer["ConsumedCapacity"].get("GlobalSecondaryIndexes", {})
    return sum(float(index["CapacityUnits"]) for index in indexes.values())


def _again(stand: Stand, customer: Customer, message: str) -> str:
    """Begins a new round by hand; its message."""
    operator = Api(stand.stack["api_url"], stand.stack["admin_key"])
    wanted = {"dialect": "standard", "scopes": ["deliveries:write"]}
    key = operator.call("POST", f"/v1/tenants/{customer.tenant_id}/keys", wanted, expect=201)
    before = json.loads(message)
    path = f"/v1/deliveries/{before['delivery_id']}/retry"
    Api(stand.stack["api_url"], key["key"]).call("POST", path, {}, expect=202)
    return json.dumps(before | {"attempt": before["attempt"] + 1, "round": before["round"] + 1})


def _table(columns: dict[str, list[Written]]) -> str:
    head = ["answers of the receiver", "attempt", "row, at most", "indexes, at most", "moves until then", "the same per attempt"]
    lines = [head, ["---"] * len(head)]
    for name, written in columns.items():
        for number in SHOWN:
            # At most until then: two retries that are due in the same second leave the index as it is.
            until = written[:number]
            moved = sum(each.moved for each in until)
            units = [f"{count:g}" for count in (max(each.row for each in until), max(each.indexes for each in until), moved)]
            lines.append([name if number == SHOWN[0] else "", str(number), *units, f"{moved / number:.2f}"])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main(run)
