"""The tables as the template has them, and what DynamoDB refuses of a request beyond its model: keys, sizes, numbers of items."""

import collections
import json
from collections.abc import Callable, Iterator
from typing import Any

from expressions import NAMES, Expression, complaints, expressions_in, written
from item_size import size_of
from resolved import Resolved
from statements import Insert, Unread
from unjudged import Unjudged

LARGEST_ITEM = 400 * 1024
LARGEST_TRANSACTION = 4 * 1024 * 1024
LARGEST_REQUEST = 16 * 1024 * 1024
MOST_IN_TRANSACTION = 100
MOST_KEYS = 100
MOST_WRITES = 25
MOST_STATEMENTS = 25
LONGEST_PARTITION_KEY, LONGEST_SORT_KEY = 2048, 1024
KINDS = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))


class Tables:
    """Tables by their names."""

    def __init__(self, resolved: Resolved) -> None:
        self.made = {resolved.name(name): told for name, told in resolved.of_type("AWS::DynamoDB::Table").items()}

    def partition_key(self, table: str, index: str | None = None) -> str:
        return self._keys(table, index)[0]

    def _keys(self, table: str, index: str | None = None) -> list[str]:
        told = self.made[table]
        if index is not None:
            indexes = {one["IndexName"]: one for one in told.get("GlobalSecondaryIndexes", [])}
            if index not in indexes:
                raise Unjudged(f"{table} has no index {index}")
            told = indexes[index]
        return [key["AttributeName"] for key in sorted(told["KeySchema"], key=lambda key: key["KeyType"] == "RANGE")]

    def _types(self, table: str) -> dict[str, str]:
        return {one["AttributeName"]: one["AttributeType"] for one in self.made[table]["AttributeDefinitions"]}

    def complaints(self, operation: str, request: dict) -> Iterator[str]:
        checks: dict[str, Callable[[dict], Iterator[str]]] = {
            "Query": self._query,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transaction,
            "BatchExecuteStatement": self._statements,
        }
        size = len(json.dumps(request))
        if size > LARGEST_REQUEST:
            yield f"{operation} has {size} bytes, where {LARGEST_REQUEST} are the most"
        yield from (f"{operation}: {one}" for one in _values_in(request))
        yield from checks.get(operation, lambda one: self._one(one, operation))(request)

    def _one(self, request: dict, where: str) -> Iterator[str]:
        """A request for a single item, or one of a transaction's."""
        table = request.get("TableName")
        if table not in self.made:
            yield f"{where}: there is no table {table}"
            return
        yield from complaints(request, where)
        if "Key" in request:
            yield from self._key(table, request["Key"], where)
        if "Item" in request:
            yield from self._item(table, request["Item"], where)
        for expression in expressions_in(request):
            if expression.kind == "UpdateExpression":
                yield from self._keeps_keys(table, expression, request, where)

    def _keeps_keys(self, table: str, update: Expression, request: dict, where: str) -> Iterator[str]:
        changed = set(written(update, request.get(NAMES, {}))) & set(self._keys(table))
        yield from (f"{where} changes {name}, a part of the key" for name in sorted(changed))

    def _key(self, table: str, key: dict, where: str) -> Iterator[str]:
        if set(key) != set(self._keys(table)):
            yield f"{where}: the key has {sorted(key)}, and not {sorted(self._keys(table))}"
        yield from self._key_values(table, key, where)

    def _key_values(self, table: str, item: dict, where: str) -> Iterator[str]:
        """Of the table's key and of its indexes': typed, not empty, and short enough."""
        types = self._types(table)
        schemas = [self._keys(table)]
        schemas += [self._keys(table, index["IndexName"]) for index in self.made[table].get("GlobalSecondaryIndexes", [])]
        for keys in schemas:
            for name, longest in zip(keys, (LONGEST_PARTITION_KEY, LONGEST_SORT_KEY), strict=False):
                if name in item:
                    ((kind, value),) = item[name].items()
                    if kind != types[name]:
                        yield f"{where}: {name} is of type {kind}, and a key's of {types[name]}"
                    elif not 0 < len(str(value).encode()) <= longest:
                        yield f"{where}: {name} has {len(str(value).encode())} bytes, where 1 to {longest} may be"

    def _item(self, table: str, item: dict, where: str) -> Iterator[str]:
        yield from (f"{where}: the item has no {name}" for name in self._keys(table) if name not in item)
        yield from self._key_values(table, item, where)
        size = size_of(item)
        if size > LARGEST_ITEM:
            yield f"{where}: the item has {size} bytes, where {LARGEST_ITEM} are the most"

    def _query(self, request: dict) -> Iterator[str]:
        yield from self._one(request, "Query")
        table, index = request.get("TableName"), request.get("IndexName")
        if table not in self.made:
            return
        if index is not None:
            if request.get("ConsistentRead"):
                yield f"Query: nothing is consistent in the index {index}"
            if index not in (one["IndexName"] for one in self.made[table].get("GlobalSecondaryIndexes", [])):
                yield f"Query: {table} has no index {index}"
                return
        yield from self._asked(request, self._keys(table, index), self._keys(table))

    def _asked(self, request: dict, keys: list[str], of_table: list[str]) -> Iterator[str]:
        """Of a query by these keys, those of an index or of the table itself."""
        names = request.get(NAMES, {})
        for expression in expressions_in(request):
            roots = {path.split(".")[0] for _, path in expression.paths(names)}
            if expression.kind == "KeyConditionExpression":
                yield from (f"Query asks about {name}, which is no key" for name in sorted(roots - set(keys)))
                if keys[0] not in roots:
                    yield f"Query does not say which {keys[0]}"
            elif expression.kind == "FilterExpression":
                yield from (f"Query filters by {name}, a part of the key" for name in sorted(roots & set(keys)))
        if "ExclusiveStartKey" in request:
            wanted = set(keys) | set(of_table)
            if set(request["ExclusiveStartKey"]) != wanted:
                yield f"Query begins behind {sorted(request['ExclusiveStartKey'])}, and not {sorted(wanted)}"

    def _batch_get(self, request: dict) -> Iterator[str]:
        asked = request.get("RequestItems", {})
        number = sum(len(one["Keys"]) for one in asked.values())
        if number > MOST_KEYS:
            yield f"BatchGetItem asks for {number} items, where {MOST_KEYS} are the most"
        for table, one in asked.items():
            if table not in self.made:
                yield f"BatchGetItem: there is no table {table}"
                continue
            yield from complaints(one, "BatchGetItem")
            for key in one["Keys"]:
                yield from self._key(table, key, "BatchGetItem")
            yield from _doubles(one["Keys"], "BatchGetItem")

    def _batch_write(self, request: dict) -> Iterator[str]:
        number = sum(len(writes) for writes in request.get("RequestItems", {}).values())
        if number > MOST_WRITES:
            yield f"BatchWriteItem writes {number} items, where {MOST_WRITES} are the most"

    def _transaction(self, request: dict) -> Iterator[str]:
        items = request.get("TransactItems", [])
        if len(items) > MOST_IN_TRANSACTION:
            yield f"TransactWriteItems has {len(items)} items, where {MOST_IN_TRANSACTION} are the most"
        if (size := len(json.dumps(items))) > LARGEST_TRANSACTION:
            yield f"TransactWriteItems has {size} bytes, where {LARGEST_TRANSACTION} are the most"
        touched = []
        for number, item in enumerate(items):
            where = f"TransactWriteItems[{number}]"
            if len(item) != 1:
                yield f"{where} is {sorted(item)}, where one is wanted"
                continue
            ((kind, write),) = item.items()
            yield from self._one(write, f"{where}.{kind}")
            if write.get("TableName") in self.made:
                row = write.get("Key") or write.get("Item", {})
                keys = self._keys(write["TableName"])
                touched.append({"table": write["TableName"]} | {name: row.get(name) for name in keys})
        yield from _doubles(touched, "TransactWriteItems")

    def _statements(self, request: dict) -> Iterator[str]:
        statements = request.get("Statements", [])
        if len(statements) > MOST_STATEMENTS:
            yield f"BatchExecuteStatement has {len(statements)} statements, where {MOST_STATEMENTS} are the most"
        keys = []
        for number, statement in enumerate(statements):
            where = f"BatchExecuteStatement[{number}]"
            try:
                insert = Insert.of(statement)
            except Unread as unread:
                yield f"{where}: {unread}"
                continue
            yield from self._one({"TableName": insert.table, "Item": insert.item}, where)
            if insert.table in self.made:
                keys.append({name: insert.item.get(name) for name in self._keys(insert.table)})
        yield from _doubles(keys, "BatchExecuteStatement")


def _doubles(keys: list[dict], where: str) -> Iterator[str]:
    times = collections.Counter(json.dumps(key, sort_keys=True) for key in keys)
    yield from (f"{where} speaks of {key} twice" for key, number in times.items() if number > 1)


def _values_in(told: Any) -> Iterator[str]:
    """What is wrong with attributes' values, wherever they stand: each is of one kind, a number is one, a set has members."""
    if isinstance(told, list):
        for inner in told:
            yield from _values_in(inner)
    elif isinstance(told, dict):
        if told and set(told) <= KINDS:
            yield from _value(told)
        for inner in told.values():
            yield from _values_in(inner)


def _value(value: dict) -> Iterator[str]:
    if len(value) != 1:
        yield f"a value is of the kinds {sorted(value)}, where one is wanted"
        return
    ((kind, content),) = value.items()
    if kind == "N":
        try:
            digits = len(str(content).lstrip("-").split("e")[0].replace(".", "").strip("0"))
            float(content)
        except ValueError:
            yield f"{content!r} is no number"
            return
        if digits > 38:
            yield f"{content} has {digits} digits, where 38 are the most"
    elif kind in ("SS", "NS", "BS") and (not content or len(set(content)) != len(content)):
        yield f"a set of {content}"
