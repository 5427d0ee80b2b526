"""What the pages say of the dialects that come with Postrider is so, and they name every field of one that is written down."""

import json
import re
import unittest

from facts import dialects, facts, limit
from pages import UNITS, WORDS, Row, delays, pages, table, words
from template import Template

PROGRAM = "shared/domain/src/dialect.rs"
OWNERS = {"endpoint": "webhook's", "tenant": "tenant's", "deployment": "deployment's"}
HINTS = {(True, True): "honoured", (False, False): "ignored"}


def body(dialect: dict) -> str:
    return f"`{{{', '.join(dialect['body'])}}}`" if dialect["body"] else "the job's end"


def headers(dialect: dict) -> list[str]:
    """The one with the signature, and those of what is signed besides the body."""
    signature = dialect["signature"]
    return [f"`{signature[name]}`" for name in ("header", "id_header", "timestamp_header") if signature[name]]


def key(dialect: dict) -> str:
    prefix = dialect["signature"]["base64_after"]
    return f"base64 after `{prefix}`" if prefix else "whole"


def event_types(dialect: dict) -> str:
    events = dialect["events"]
    if events is None:
        return "any"
    if dialect["registers"]:
        return f"its {WORDS[len(events)]}"
    first, *others = events
    return ", ".join([f"`{first}`", *(f"`.{event.split('.', 1)[1]}`" for event in others)])


class BuiltIn(unittest.TestCase):
    """Each page's table, cell by cell."""

    def has_all(self, page: str, rows: dict[str, Row]) -> None:
        """`rows` are by the dialects' names."""
        self.assertEqual(set(rows), set(dialects()), f"{page}: its table has other dialects than {PROGRAM}")

    def reads(self, page: str, dialect: dict, cells: Row, expected: Row) -> None:
        for what, text in expected.items():
            with self.subTest(page=page, dialect=dialect["name"], cell=what):
                told = f"{page} says of {dialect['name']}, {what!r}: {cells[what]!r}, but {PROGRAM}: {text!r}; mend what is wrong"
                self.assertEqual(cells[what], text, told)

    def comes_after(self, page: str, dialect: dict, cell: str) -> None:
        expected = dialect["retry_seconds"]
        told = f"{page} says of {dialect['name']}'s retries: {cell!r}, but {PROGRAM} has {expected} s; mend what is wrong"
        self.assertEqual(delays(cell), expected, told)

    def test_the_readme_says_what_a_customer_receives(self):
        page = "README.md"
        rows = {name.lower(): cells for name, cells in table(page, "What the customer receives").items()}
        self.has_all(page, rows)
        for name, dialect in dialects().items():
            header, *others = headers(dialect)
            expected = {
                "the body": body(dialect),
                "signed in": f"{header}, also {', '.join(others)}" if others else header,
                "with": f"the {OWNERS[dialect['secret_of']]} secret",
                "answer within": f"{dialect['timeout_seconds']} s",
            }
            self.reads(page, dialect, rows[name], expected)
            self.comes_after(page, dialect, rows[name]["tried again after"])

    def test_docs_dialects_says_all_of_each(self):
        page = "docs/dialects.md"
        rows = table(page, f"The {WORDS[len(dialects())]} that come with it")
        columns = {words(name)[0]: name for name in next(iter(rows.values()))}
        self.has_all(page, {name: {} for name in columns})
        for name, dialect in dialects().items():
            cells = {row: told[columns[name]] for row, told in rows.items()}
            signature = dialect["signature"]
            header, *others = headers(dialect)
            value = f"`{signature['prefix']}` + {signature['encoding']}" if signature["prefix"] else signature["encoding"]
            own_secret = dialect["secret_of"] == "endpoint"
            expected = {
                "keys begin with": f"`{dialect['key_prefix']}`",
                "webhooks come": "over the API" if dialect["registers"] else "with a job",
                "header": header,
                "its value": f"{value}, several" if others else value,
                "signed": f"`id.timestamp.body`, with {' and '.join(others)}" if others else "the body",
                "with": f"the {OWNERS[dialect['secret_of']]}{' secret' if own_secret else ''}, {key(dialect)}",
                "without a secret": "one is made" if dialect["makes_secrets"] else "unsigned" if own_secret else "",
                "body": body(dialect),
                "event types": event_types(dialect),
                "time-out": f"{dialect['timeout_seconds']} s",
                "`Retry-After`, 410": HINTS[dialect["honours_retry_after"], dialect["gone_disables"]],
                "failing for five days": "disables the webhook" if dialect["disables_failing"] else "",
                "no answer for five minutes": "parks what is for it" if dialect["parks_outages"] else "",
            }
            self.reads(page, dialect, cells, expected)
            schedule, _, stray = cells["retries after"].partition(", up to ")
            self.comes_after(page, dialect, schedule)
            jitter = f"{dialect['jitter_percent']} % off" if dialect["jitter_percent"] else ""
            self.assertEqual(stray, jitter, f"{page}: {name}'s retries stray by another share in {PROGRAM}; mend what is wrong")

    def test_the_architecture_says_how_each_signs_and_retries(self):
        page = "ARCHITECTURE.md"
        rows = table(page, "Dialects")
        self.has_all(page, rows)
        for name, dialect in dialects().items():
            signature = dialect["signature"]
            header, *others = headers(dialect)
            prefix = f"`{signature['prefix']}` " if signature["prefix"] else ""
            expected = {
                "signed in": f"{header}: {prefix}{signature['encoding']}{', several' if others else ''}",
                "content": "id.timestamp.body" if others else "body",
                "secret": f"{dialect['secret_of']}'s, {key(dialect)}",
                "time-out": f"{dialect['timeout_seconds']} s",
            }
            # How a body is laid out is no dialect's own.
            content = rows[name]["content"].split(", ")[0]
            self.reads(page, dialect, rows[name] | {"content": content}, expected)
            self.retries(page, dialect, rows[name]["retries"])

    def retries(self, page: str, dialect: dict, cell: str) -> None:
        """`nine, jittered, 75 h`: how many, and how long all of them are, to the unit that is named last."""
        schedule = dialect["retry_seconds"]
        number, *others = cell.split(", ")
        length = others.pop() if others else "0 s"
        finest = UNITS[length.split(" ")[-1]]
        said = (number, others, sum(delays(length)))
        meant = (WORDS[len(schedule)], ["jittered"] if dialect["jitter_percent"] else [], sum(schedule) // finest * finest)
        told = f"{page} says of {dialect['name']}'s retries: {cell!r}, but {PROGRAM} has {schedule} s; mend what is wrong"
        self.assertEqual(said, meant, told)


class Written(unittest.TestCase):
    """What docs/dialects.md says of an operator's own."""

    def setUp(self):
        self.rows = table("docs/dialects.md", "Your own")
        self.known = facts()["written_dialect"]
        self.signature = [f"signature.{name}" for name in self.known["signature"]]

    def test_every_field_is_explained_and_no_other(self):
        wanted = {*self.known["fields"], *self.signature} - {"signature"}
        self.assertGreater(len(wanted), 10)
        self.assertEqual({name for row in self.rows for name in words(row)}, wanted)

    def test_what_a_field_may_hold_is_what_is_taken(self):
        told = {name: next(iter(cells.values())) for name, cells in self.rows.items()}
        self.assertEqual(set(words(told["`signature.encoding`"])), set(self.known["encodings"]))
        self.assertEqual(set(words(told["`body`"])), set(self.known["bodies"]))
        self.assertEqual(told["`timeout_seconds`"], f"1 to {limit('attempt.slowest_timeout')}")
        self.assertIn(f"0 to {limit('retry.max_retries')} of them", told["`retry_seconds`"])

    def test_the_example_has_known_fields_and_fits(self):
        (text,) = re.findall(r"^```json\n(.*?)^```", pages()["docs/dialects.md"], re.MULTILINE | re.DOTALL)
        (dialect,) = json.loads(text)
        self.assertLessEqual(set(dialect), set(self.known["fields"]))
        self.assertLessEqual(set(dialect["signature"]), set(self.known["signature"]))
        longest = Template().all["Parameters"]["ExtraDialects"]["MaxLength"]
        self.assertLess(4 * len(json.dumps([dialect])), longest, "a handful should fit")


class Events(unittest.TestCase):
    def test_pages_name_no_event_of_our_own_that_there_is_not(self):
        for page, text in pages().items():
            for name in re.findall(r"`(webhook\.\w+)`", text):
                self.assertIn(name, facts()["own_events"], f"{page}: nobody would ever get it")


if __name__ == "__main__":
    unittest.main()
