"""The rows of a DynamoDB table: read page by page, and put where there is none."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from step import Failed

# Statements of one call.
BATCH = 25
# How often what AWS does not take yet is tried again: three minutes of waits that grow to half a minute.
TRIES = 12
LONGEST_WAIT = 30.0
# Refusals that are over by themselves.
PASSING = {
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionConflict",
}
IS_THERE = "DuplicateItem"

# A row as DynamoDB's own JSON has it: each value under its type.
Row = dict[str, dict[str, Any]]


@dataclass
class Page:
    rows: list[Row]
    # Where the next one begins; nothing after the last.
    after: Row | None


class TableRows:
    """`pause` waits for so many seconds."""

    def __init__(self, client: Any, name: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client, self.name, self._pause = client, name, pause

    def pages(self, asked: dict[str, Any] | None = None, after: Row | None = None) -> Iterator[Page]:
        """All pages from a place on."""
        return self._pages(self._client.scan, asked or {}, after)

    def _pages(self, read: Callable[..., dict], asked: dict[str, Any], after: Row | None) -> Iterator[Page]:
        """Read consistently: what was written before is in them."""
        while True:
            place = {"ExclusiveStartKey": after} if after else {}
            told = read(TableName=self.name, ConsistentRead=True, **place, **asked)
            after = told.get("LastEvaluatedKey")
            yield Page(told["Items"], after)
            if after is None:
                return

    def partition(self, key: str) -> Iterator[Page]:
        """All rows of a partition."""
        schema = self._client.describe_table(TableName=self.name)["Table"]["KeySchema"]
        [name] = [each["AttributeName"] for each in schema if each["KeyType"] == "HASH"]
        return self._pages(
            self._client.query,
            {
                "KeyConditionExpression": "#key = :key",
                "ExpressionAttributeNames": {"#key": name},
                "ExpressionAttributeValues": {":key": {"S": key}},
            },
            None,
        )

    def put_where_absent(self, rows: list[Row]) -> int:
        """How many were put; the others are there already, and stay as they are."""
        waiting, put = rows, 0
        for number in range(TRIES):
            if not waiting:
                return put
            if number:
                self._pause(min(2.0**number / 2, LONGEST_WAIT))
            refused = self._insert(waiting)
            passing = [row for row, code in refused if code in PASSING]
            amiss = sorted({code for _, code in refused} - PASSING - {IS_THERE})
            if amiss:
                raise Failed(f"{self.name} refuses a row: {', '.join(amiss)}")
            put += len(waiting) - len(refused)
            waiting = passing
        if waiting:
            raise Failed(f"{self.name} takes {len(waiting)} rows not now; run it again")
        return put

    def _insert(self, rows: list[Row]) -> list[tuple[Row, str]]:
        """The rows that were refused, with the codes."""
        told = self._client.batch_execute_statement(Statements=[self._statement(row) for row in rows])["Responses"]
        return [(row, answer["Error"]["Code"]) for row, answer in zip(rows, told, strict=True) if "Error" in answer]

    def _statement(self, row: Row) -> dict:
        """PartiQL's INSERT is the one conditional put that comes in batches."""
        names = ", ".join(f"'{name}': ?" for name in row)
        return {"Statement": f'INSERT INTO "{self.name}" VALUE {{{names}}}', "Parameters": list(row.values())}
