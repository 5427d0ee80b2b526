"""An update of a stack can be carried out: CloudFormation makes one change of a table's global indexes in it, and the emulator
makes them all."""

import unittest

from indexes import Indexes, changes, indexes, record, released, too_many
from template import ROOT, Template


def index(key: str, projection: str = "KEYS_ONLY") -> dict:
    return {"KeySchema": [{"AttributeName": key, "KeyType": "HASH"}], "Projection": {"ProjectionType": projection}}


ONE, OTHER, THIRD = index("one"), index("other"), index("third")


class Release(unittest.TestCase):
    def test_the_template_is_one_change_from_the_last_release(self):
        version, before = record()
        wrong = too_many(before, indexes(Template()))
        self.assertEqual(wrong, [], f"since {version}")

    def test_the_record_is_of_the_newest_release(self):
        newest = released((ROOT / "CHANGELOG.md").read_text())
        told = (
            "the record and CHANGELOG.md tell of different releases; `local/.venv/bin/python tests/template/indexes.py VERSION`"
        )
        self.assertEqual(record()[0], newest, f"{told} writes the record, to be committed with the release")

    def test_before_the_first_release_there_is_nothing_to_differ_from(self):
        version, tables = record()
        self.assertEqual(version is None, not tables, "a release has tables, and nothing else has")

    def test_all_indexes_of_the_template_are_seen(self):
        found = {table: set(each) for table, each in indexes(Template()).items() if each}
        self.assertEqual(found["JobsTable"], {"listed"})
        self.assertIn("undelivered", found["DeliveriesTable"])


class Changes(unittest.TestCase):
    def assert_refused(self, before: Indexes, now: Indexes, *steps: str) -> None:
        [wrong] = too_many({"Table": before, "Same": {"a": ONE}}, {"Table": now, "Same": {"a": ONE}})
        for step in ("Table: ", "the release after", *steps):
            self.assertIn(step, wrong)

    def assert_allowed(self, before: Indexes, now: Indexes) -> None:
        self.assertEqual(too_many({"Table": before}, {"Table": now}), [])

    def test_one_change_of_each_table_is_allowed(self):
        self.assert_allowed({"a": ONE}, {"a": ONE})
        self.assert_allowed({"a": ONE}, {"b": OTHER, "a": ONE})
        self.assert_allowed({}, {"a": ONE})
        self.assert_allowed({"a": ONE, "b": OTHER}, {"a": ONE})
        self.assertEqual(too_many({"A": {}, "B": {"b": ONE}}, {"A": {"a": ONE}, "B": {}}), [], "two tables are two updates")

    def test_two_of_one_table_are_not(self):
        self.assert_refused({"a": ONE}, {"a": ONE, "b": OTHER, "c": THIRD}, "add `b`, add `c`")
        self.assert_refused({"a": ONE, "b": OTHER}, {}, "remove `a`, remove `b`")
        self.assert_refused({"a": ONE}, {"b": OTHER}, "remove `a`, add `b`")
        self.assert_refused({"a": ONE}, {"b": ONE}, "remove `a`, add `b`")

    def test_other_keys_or_another_projection_are_two_changes(self):
        self.assert_refused({"a": ONE}, {"a": OTHER}, "remove `a` as it was, add `a` as it is", "give the index another name")
        self.assert_refused({"a": ONE}, {"a": index("one", "ALL")}, "remove `a` as it was")
        self.assertEqual(len(changes({"a": ONE}, {"a": OTHER, "b": THIRD})), 3)

    def test_a_table_that_comes_has_all_its_indexes_and_one_that_goes_none_to_change(self):
        self.assertEqual(too_many({}, {"New": {"a": ONE, "b": OTHER}}), [])
        self.assertEqual(too_many({"Old": {"a": ONE, "b": OTHER}}, {}), [])


class Newest(unittest.TestCase):
    def test_the_first_heading_with_a_version_counts(self):
        self.assertEqual(released("# Changelog\n\n## Unreleased\n\n## 1.10.0 - 2026-05-01\n\n## 1.9.0\n"), "1.10.0")
        self.assertIsNone(released("# Changelog\n\n## Unreleased\n- 1.0.0 will come\n"))


if __name__ == "__main__":
    unittest.main()
