"""The way back of a stack's rows, for an operator (docs/restore.md). The stack is STACK_NAME's, in the account and region of the
environment.

    restore.py export FOLDER     all rows of its four tables, into files
    restore.py import FOLDER     those rows into its tables, where they are not there
    restore.py copy FROM TABLE PARTITION
                                 a partition of a restored table into config, jobs or deliveries, where it is not there
    restore.py waiting [FOLDER]  the deliveries of the stack, or of an export, that have not ended: they are attempted again
    restore.py again SINCE       has fan-out look once more at each event since then, so that no delivery is missing

Each may be run again, and goes on where it was interrupted."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from exported import Exported, Place, read_place, write_place
from step import Failed, main, say
from table_rows import BATCH, Row, TableRows

# In the order in which they are put. Deliveries before events: an event whose delivery is there is not sent again.
TABLES = {"config": "ConfigTable", "jobs": "JobsTable", "deliveries": "DeliveriesTable", "events": "EventsTable"}
# A row that comes into the events table is a new event.
COPIED = ("config", "jobs", "deliveries")
QUEUE = "UnfinishedQueue"
SOURCE = "events stream"
# Messages of one call.
NOTES = 10
# How many rows between two lines about them.
PROGRESS = 10_000
NOT_ENDED = ("pending", "retrying")


class Stack:
    def __init__(self) -> None:
        self.name = os.environ.get("STACK_NAME", "")
        if not self.name:
            raise Failed("STACK_NAME names no stack")

    def client(self, service: Any) -> Any:
        return boto3.client(service, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))

    def resource(self, logical_id: str) -> str:
        """What CloudFormation has called it. A stack that is only begun has no outputs."""
        told = self.client("cloudformation").describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return told["StackResourceDetail"]["PhysicalResourceId"]

    def parameter(self, name: str) -> str:
        [told] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        found = {each["ParameterKey"]: each["ParameterValue"] for each in told.get("Parameters", [])}
        if name not in found:
            raise Failed(f"{self.name} has no parameter {name}: deploy template.yaml first")
        return found[name]

    def rows(self, table: str) -> TableRows:
        return TableRows(self.client("dynamodb"), self.resource(TABLES[table]))

    def has_stream(self, table: str) -> bool:
        told = self.client("dynamodb").describe_table(TableName=self.resource(TABLES[table]))["Table"]
        return bool(told.get("StreamSpecification", {}).get("StreamEnabled"))


class Progress:
    """Says now and then how far it has come."""

    def __init__(self, what: str, so_far: int = 0) -> None:
        self._what, self._told = what, so_far // PROGRESS

    def at(self, number: int) -> None:
        if number // PROGRESS > self._told:
            self._told = number // PROGRESS
            say(f"    {self._what}: {number} so far")


def export(stack: Stack, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for table in TABLES:
        exported = Exported(folder, table)
        place = exported.place()
        progress = Progress(table, place.rows)
        if not place.done:
            for page in stack.rows(table).pages(after=place.after):
                place = exported.add(page)
                progress.at(place.rows)
        say(f"{table}: {place.rows} rows")


def put_back(stack: Stack, folder: Path, tables: list[str]) -> None:
    """All of them, or some: a single table's rows that were lost, say."""
    if unknown := sorted(set(tables) - set(TABLES)):
        raise Failed(f"{', '.join(unknown)}: the tables are {', '.join(TABLES)}")
    chosen = [table for table in TABLES if not tables or table in tables]
    if "events" in chosen and stack.has_stream("events"):
        raise Failed(
            "the events table has a stream: each row put back there would be a new event. Begin the stack with restore.yaml, or "
            "name the other tables (docs/restore.md)"
        )
    for table in chosen:
        put, all_rows = put_table(stack.rows(table), Exported(folder, table))
        say(f"{table}: {all_rows} rows, {put} put now, the others were there")


def put_table(rows: TableRows, exported: Exported) -> tuple[int, int]:
    """How many were put now, and how many there are."""
    noted = exported.put_into(rows.name)
    place, put = read_place(noted), 0
    progress = Progress(rows.name, place.rows)
    for batch, reached in exported.batches(BATCH, place.bytes):
        put += rows.put_where_absent(batch)
        place = Place(reached, place.rows + len(batch))
        write_place(noted, place)
        progress.at(place.rows)
    return put, place.rows


def copy(stack: Stack, source: str, table: str, partition: str) -> None:
    if table not in COPIED:
        raise Failed(f"{table}: rows are copied into {', '.join(COPIED)}")
    rows, found, put = stack.rows(table), 0, 0
    for page in TableRows(stack.client("dynamodb"), source).partition(partition):
        for begin in range(0, len(page.rows), BATCH):
            batch = page.rows[begin : begin + BATCH]
            found, put = found + len(batch), put + rows.put_where_absent(batch)
    say(f"{partition}: {found} rows, {put} put, the others were there")


def waiting(stack: Stack, folder: Path | None) -> None:
    """A line for each delivery, and how many there are."""
    number = 0
    for row in of_export(folder) if folder else of_stack(stack):
        # Rows of other kinds lie in the table, too, and have no status.
        if row.get("status", {}).get("S") in NOT_ENDED:
            number += 1
            told = {name: row[name]["S"] for name in ("id", "status", "event_id", "tenant_id")}
            say(json.dumps(told | {"attempts": int(row["attempt"]["N"])}))
    say(f"{number} deliveries have not ended")


def of_export(folder: Path) -> Iterator[Row]:
    for batch, _ in Exported(folder, "deliveries").batches(BATCH):
        yield from batch


def of_stack(stack: Stack) -> Iterator[Row]:
    values = {f":{status}": {"S": status} for status in NOT_ENDED}
    asked = {
        "FilterExpression": f"#status IN ({', '.join(values)})",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": values,
    }
    for page in stack.rows("deliveries").pages(asked):
        yield from page.rows


def again(stack: Stack, since: datetime) -> None:
    """As fan-out's own notes of events that it could not finish: it makes the deliveries that are missing, and announces those
    that are pending. What has been attempted stays as it is."""
    kept = timedelta(days=int(stack.parameter("RetentionDays")) - 1)
    if since < datetime.now(UTC) - kept:
        # An event outlives its deliveries where its producer says so, and would look as if it had none.
        raise Failed(f"{since.isoformat()} is too long ago: deliveries are known for {kept.days} days")
    sqs, queue = stack.client("sqs"), stack.resource(QUEUE)
    # What was refused is nobody's to ask for again but who has mended it.
    asked = {
        "ProjectionExpression": "tenant_id, id, #at",
        "FilterExpression": "attribute_not_exists(refused)",
        "ExpressionAttributeNames": {"#at": "timestamp"},
    }
    number, progress = 0, Progress("events")
    for page in stack.rows("events").pages(asked):
        notes = [note(row) for row in page.rows if is_since(row, since)]
        for begin in range(0, len(notes), NOTES):
            send(sqs, queue, notes[begin : begin + NOTES])
        number += len(notes)
        progress.at(number)
    say(f"{number} events are looked at again")


def is_since(row: Row, since: datetime) -> bool:
    """By the event's own time, in whatever zone its producer wrote it; a row without one is no event."""
    try:
        return moment(row["timestamp"]["S"]) >= since
    except (KeyError, ValueError):
        return False


def moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time needs its zone")
    return at


def note(row: Row) -> str:
    keys = {name: row[name]["S"] for name in ("tenant_id", "id")}
    return json.dumps({"v": 1, "source": SOURCE, "keys": keys, "reason": "restored"})


def send(sqs: Any, queue: str, notes: list[str]) -> None:
    entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(notes)]
    refused = sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed", [])
    if refused:
        raise Failed(f"the queue refuses {len(refused)} notes ({refused[0].get('Message')}); run it again")


def since_of(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError:
        raise Failed(f"{text}: SINCE is a time such as 2026-01-15T14:30:00Z") from None


def run() -> None:
    try:
        match sys.argv[1:]:
            case ["export", folder]:
                export(Stack(), Path(folder))
            case ["import", folder, *tables]:
                put_back(Stack(), Path(folder), tables)
            case ["copy", source, table, partition]:
                copy(Stack(), source, table, partition)
            case ["waiting"]:
                waiting(Stack(), None)
            case ["waiting", folder]:
                waiting(Stack(), Path(folder))
            case ["again", since]:
                again(Stack(), since_of(since))
            case _:
                raise Failed(__doc__ or "")
    except (BotoCoreError, ClientError) as error:
        raise Failed(str(error)) from None


if __name__ == "__main__":
    main(run)
