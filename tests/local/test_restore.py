"""The way back of a stack's rows: what was interrupted goes on, what is there stays, and no row comes twice or not at all."""

import sys
import tempfile
import unittest
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import restore
from exported import Exported
from step import Failed
from table_rows import BATCH, TRIES, Page, Row, TableRows


def row(number: int, **more: Any) -> Row:
    return {"id": {"S": str(number)}, **more}


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.exported = Exported(Path(self.folder.name), "config")

    def read(self, size: int = BATCH, begin: int = 0) -> list[Row]:
        return [row for batch, _ in self.exported.batches(size, begin) for row in batch]


class Exporting(Folder):
    def test_pages_come_one_after_another_and_all_of_them_are_there(self):
        self.exported.add(Page([row(1), row(2)], row(2)))
        with self.assertRaisesRegex(Failed, "not whole"):
            self.read()
        self.assertEqual((self.exported.place().after, self.exported.place().done), (row(2), False))
        self.exported.add(Page([row(3)], None))
        self.assertEqual(self.read(), [row(1), row(2), row(3)])
        self.assertEqual(self.exported.place().rows, 3)

    def test_what_somebody_had_written_who_died_before_its_place_is_cut_off(self):
        self.exported.add(Page([row(1)], row(1)))
        with self.exported.file.open("ab") as file:
            file.write(b'{"Item":{"id":{"S":"2"}}}\n{"Item":{"i')
        self.exported.add(Page([row(2), row(3)], None))
        self.assertEqual(self.read(), [row(1), row(2), row(3)])

    def test_a_row_is_read_as_it_was_to_the_letter(self):
        odd = row(
            1, text={"S": 'ü\u2028\n"'}, bytes={"B": b"\x00\xff"}, map={"M": {"B": {"S": "x"}, "of": {"L": [{"N": "1.0"}]}}}
        )
        self.exported.add(Page([odd], None))
        self.assertEqual(self.read(), [odd])

    def test_batches_say_how_far_they_go(self):
        self.exported.add(Page([row(number) for number in range(7)], None))
        batches = list(self.exported.batches(3))
        self.assertEqual([len(batch) for batch, _ in batches], [3, 3, 1])
        self.assertEqual(self.read(begin=batches[0][1]), [row(number) for number in range(3, 7)])

    def test_nobody_else_may_read_it(self):
        self.exported.add(Page([row(1)], None))
        self.assertEqual(self.exported.file.stat().st_mode & 0o777, 0o600)


class Table:
    """A table that takes what it has not, unless it is told to refuse first."""

    def __init__(self, *there: Row, refusals: list[str] | None = None) -> None:
        self.there = {row["id"]["S"] for row in there}
        self.refusals = refusals or []
        self.calls = 0

    def batch_execute_statement(self, Statements: list[dict]) -> dict:  # noqa: N803
        self.calls += 1
        return {"Responses": [self._answer(statement["Parameters"][0]["S"]) for statement in Statements]}

    def _answer(self, name: str) -> dict:
        code = self.refusals.pop(0) if self.refusals else "DuplicateItem" if name in self.there else ""
        if code:
            return {"Error": {"Code": code}}
        self.there.add(name)
        return {"TableName": "table"}


class Putting(Folder):
    def rows_of(self, table: Table) -> TableRows:
        self.waits: list[float] = []
        return TableRows(table, "table", self.waits.append)

    def test_what_is_there_stays(self):
        table = Table(row(1))
        self.assertEqual(self.rows_of(table).put_where_absent([row(1), row(2)]), 1)
        self.assertEqual((table.there, table.calls), ({"1", "2"}, 1))

    def test_what_is_throttled_comes_again_and_what_is_wrong_is_told(self):
        table = Table(refusals=["ThrottlingError", "ThrottlingError", "ThrottlingError"])
        self.assertEqual(self.rows_of(table).put_where_absent([row(1), row(2)]), 2)
        self.assertEqual(self.waits, [1.0, 2.0])
        with self.assertRaisesRegex(Failed, "ValidationError"):
            self.rows_of(Table(refusals=["ValidationError"])).put_where_absent([row(1)])
        with self.assertRaisesRegex(Failed, "run it again"):
            self.rows_of(Table(refusals=["ThrottlingError"] * TRIES)).put_where_absent([row(1)])
        self.assertLessEqual(sum(self.waits), 300)

    def test_an_import_that_was_interrupted_goes_on_where_it_stood(self):
        self.exported.add(Page([row(number) for number in range(3 * BATCH)], None))
        table = Table(refusals=[""] * BATCH + ["ValidationError"])
        with self.assertRaises(Failed):
            restore.put_table(self.rows_of(table), self.exported)
        self.assertEqual(restore.put_table(self.rows_of(table), self.exported), (2 * BATCH - (BATCH - 1), 3 * BATCH))
        self.assertEqual(len(table.there), 3 * BATCH)
        self.assertEqual(restore.put_table(self.rows_of(table), self.exported), (0, 3 * BATCH), "and once more: nothing")

    def test_another_table_is_begun_at_the_beginning(self):
        self.exported.add(Page([row(1)], None))
        restore.put_table(TableRows(Table(), "one"), self.exported)
        self.assertEqual(restore.put_table(TableRows(Table(), "another"), self.exported), (1, 1))


class FakeStack(restore.Stack):
    """A stack whose events table has these rows."""

    def __init__(self, *events: Row) -> None:
        self.events = events
        self.sent: list[str] = []

    def parameter(self, name: str) -> str:
        return {"RetentionDays": "30"}[name]

    def resource(self, logical_id: str) -> str:
        return logical_id

    def client(self, service: Any) -> Any:
        return self

    def rows(self, table: str) -> Any:
        return self

    def pages(self, _: dict) -> list[Page]:
        return [Page(list(self.events[:15]), row(1)), Page(list(self.events[15:]), None)]

    def has_stream(self, table: str) -> bool:
        return True

    def send_message_batch(self, QueueUrl: str, Entries: list[dict]) -> dict:  # noqa: N803
        assert QueueUrl == "UnfinishedQueue" and len(Entries) <= 10
        self.sent += [entry["MessageBody"] for entry in Entries]
        return {}


def event(number: int, at: str) -> Row:
    return {"tenant_id": {"S": "ten_1"}, "id": {"S": f"evt_{number}"}, "timestamp": {"S": at}}


class Again(unittest.TestCase):
    def test_each_event_since_then_is_noted_by_its_own_time_whatever_its_zone(self):
        now = datetime.now(UTC)
        ago = [(now - timedelta(minutes=minutes)) for minutes in (10, 130)]
        texts = [ago[0].isoformat(), ago[0].astimezone(timezone(timedelta(hours=-5))).isoformat(), ago[1].isoformat(), "no time"]
        stack = FakeStack(*(event(number, texts[number % 4]) for number in range(40)))
        with mock.patch("restore.say"):
            restore.again(stack, now - timedelta(hours=1))
        self.assertEqual(len(stack.sent), 20)
        self.assertIn('"keys": {"tenant_id": "ten_1", "id": "evt_1"}', stack.sent[1])
        self.assertIn('"source": "events stream"', stack.sent[0])

    def test_what_may_have_lost_its_deliveries_is_not_asked_for(self):
        with self.assertRaisesRegex(Failed, "29 days"):
            restore.again(FakeStack(), datetime.now(UTC) - timedelta(days=29, minutes=1))

    def test_a_time_needs_its_zone(self):
        for text in ("2026-01-15T14:30:00", "yesterday", ""):
            with self.assertRaisesRegex(Failed, "SINCE is a time"):
                restore.since_of(text)


class Importing(unittest.TestCase):
    def test_events_are_put_into_no_table_with_a_stream(self):
        with self.assertRaisesRegex(Failed, "has a stream"):
            restore.put_back(FakeStack(), Path("nowhere"), [])
        with self.assertRaisesRegex(Failed, "the tables are config, jobs, deliveries, events"):
            restore.put_back(FakeStack(), Path("nowhere"), ["webhooks"])

    def test_deliveries_come_before_events(self):
        self.assertLess(list(restore.TABLES).index("deliveries"), list(restore.TABLES).index("events"))

    def test_no_row_is_copied_into_events(self):
        with self.assertRaisesRegex(Failed, "config, jobs, deliveries"):
            restore.copy(FakeStack(), "restored", "events", "ten_1")


if __name__ == "__main__":
    unittest.main()
