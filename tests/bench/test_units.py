"""The bench counts as DynamoDB bills."""

import sys
import unittest
from pathlib import Path

from item_size import size_of
from units import INDEXES, units_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template"))

from template import Template

KEY = {"id": {"S": "a"}}


def item(size: int) -> dict:
    """An item of so many bytes."""
    return {"id": {"S": "x" * (size - len("id"))}}


def got(size: int, consistent: bool) -> float:
    return units_of("GetItem", {"Key": KEY, "ConsistentRead": consistent}, 200, {"Item": item(size)}).read


class Sizes(unittest.TestCase):
    def test_names_count_and_so_does_every_kind_of_value(self):
        self.assertEqual(size_of({"id": {"S": "grün"}}), 2 + 5)
        self.assertEqual(size_of({"n": {"N": "1234"}}), 1 + 3)
        self.assertEqual(size_of({"n": {"N": "-1.5"}}), 1 + 3)
        self.assertEqual(size_of({"b": {"BOOL": True}}), 1 + 1)
        self.assertEqual(size_of({"l": {"L": [{"S": "ab"}]}}), 1 + 3 + 1 + 2)
        self.assertEqual(size_of({"m": {"M": {"k": {"S": "ab"}}}}), 1 + 3 + 1 + 1 + 2)


class Reads(unittest.TestCase):
    def test_four_kibibytes_a_unit_and_half_for_an_eventually_consistent_read(self):
        self.assertEqual([got(4096, True), got(4097, True), got(4096, False), got(4097, False)], [1, 2, 0.5, 1])

    def test_what_is_not_there_costs_the_least(self):
        self.assertEqual(units_of("GetItem", {"Key": KEY, "ConsistentRead": True}, 200, {}).read, 1)

    def test_a_batch_rounds_each_item_up_and_a_query_all_together(self):
        request = {"RequestItems": {"t": {"Keys": [KEY] * 3, "ConsistentRead": True}}}
        answer = {"Responses": {"t": [item(100), item(100)]}}
        self.assertEqual(units_of("BatchGetItem", request, 200, answer).read, 3)
        self.assertEqual(units_of("Query", {"ConsistentRead": True}, 200, {"Items": [item(100)] * 30}).read, 1)

    def test_what_a_batch_left_over_is_read_and_billed_later(self):
        request = {"RequestItems": {"t": {"Keys": [KEY] * 2, "ConsistentRead": True}}}
        answer = {"Responses": {"t": [item(100)]}, "UnprocessedKeys": {"t": {"Keys": [KEY]}}}
        self.assertEqual(units_of("BatchGetItem", request, 200, answer).read, 1)


class Writes(unittest.TestCase):
    def test_as_the_answer_says(self):
        answer = {"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 3.0}}
        self.assertEqual(units_of("UpdateItem", {"Key": KEY}, 200, answer).write, 3)

    def test_a_refused_condition_costs_what_the_item_there_would(self):
        self.assertEqual(units_of("UpdateItem", {"Key": KEY}, 400, {}).write, 1)
        self.assertEqual(units_of("PutItem", {"Item": item(100)}, 400, {"Item": item(1500)}).write, 2)

    def test_an_index_is_told_beside_its_table(self):
        indexes = {"parked": {"CapacityUnits": 1.0}, "due": {"CapacityUnits": 2.0}}
        answer = {"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 4.0, "GlobalSecondaryIndexes": indexes}}
        self.assertEqual(units_of("UpdateItem", {"Key": KEY}, 200, answer).written, {"t": 1, "t parked": 1, "t due": 2})

    def test_a_row_that_a_statement_puts_into_an_index_costs_a_unit_more_unless_it_is_there(self):
        statement = {
            "Statement": "INSERT INTO \"t\" VALUE {'id': ?, 'waits_until': ?}",
            "Parameters": [{"S": "a"}, {"S": "2026-01-15T14:30:00.000Z"}],
        }
        answer = {"Responses": [{}, {"Error": {"Code": "DuplicateItem"}}]}
        units = units_of("BatchExecuteStatement", {"Statements": [statement] * 2}, 200, answer)
        self.assertEqual(units.written, {"t": 2, "t parked": 1})

    def test_the_indexes_are_the_templates(self):
        table = Template().resources["DeliveriesTable"]["Properties"]
        keys = {key["AttributeName"] for key in table["KeySchema"]}
        indexes = {
            index["IndexName"]: {key["AttributeName"] for key in index["KeySchema"]} - keys
            for index in table["GlobalSecondaryIndexes"]
        }
        self.assertEqual(indexes, INDEXES)


if __name__ == "__main__":
    unittest.main()
