"""What a call to DynamoDB is billed, from its request and its answer.

Writes are as the emulator tells them under ReturnConsumedCapacity, which follows AWS's rules: the larger of the item
before and after, a kibibyte a unit, and each index that the write touches. It tells no size of reads and nothing of
refused writes, and of a statement neither its size nor its indexes, so these are counted here.
"""

import collections
import dataclasses
import math
import re
from collections.abc import Iterable

from item_size import size_of

READ_UNIT = 4096
WRITE_UNIT = 1024
# Units by what is written: a table, or one of its indexes beside its name.
Written = collections.Counter[str]
# The deliveries table's, by the attributes that a row has which stands in one; no other table's rows are put by statements.
INDEXES = {"due": {"due_shard", "due_at"}, "undelivered": {"undelivered_tenant"}, "parked": {"waits_until"}}


@dataclasses.dataclass
class Units:
    """Write and read units. `written` has those that are written by their places: a table, or one of its indexes."""

    read: float = 0.0
    written: Written = dataclasses.field(default_factory=collections.Counter)

    @property
    def write(self) -> float:
        return sum(self.written.values())


def units_of(operation: str, request: dict, status: int, answer: dict) -> Units:
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return Units(written=_written(answer["ConsumedCapacity"]) if status == 200 else _refused(request, answer))
    if operation == "BatchExecuteStatement":
        answers = answer.get("Responses", [])
        return Units(written=_sum(_inserted(*each) for each in zip(request["Statements"], answers, strict=True)))
    if operation in ("TransactWriteItems", "BatchWriteItem"):
        return Units(written=_sum(_written(table) for table in answer.get("ConsumedCapacity", [])))
    if operation == "GetItem":
        return Units(read=_read([answer.get("Item", {})], request.get("ConsistentRead")))
    if operation == "BatchGetItem":
        return Units(read=sum(_batch(table, keys, answer) for table, keys in request["RequestItems"].items()))
    if operation == "Query":
        return Units(read=_read([*answer.get("Items", [])], request.get("ConsistentRead"), together=True))
    raise ValueError(f"no rule for {operation}")


def _written(consumed: dict) -> Written:
    table = consumed["TableName"]
    indexes = consumed.get("GlobalSecondaryIndexes", {})
    places = {f"{table} {name}": float(index["CapacityUnits"]) for name, index in indexes.items()}
    return collections.Counter({table: float(consumed["CapacityUnits"]) - sum(places.values()), **places})


def _inserted(statement: dict, answer: dict) -> Written:
    """A PartiQL statement is billed as the put that it stands for; a refused one too, which reaches no index."""
    table = statement["Statement"].split('"')[1]
    names = re.findall(r"'([^']+)': \?", statement["Statement"])
    item = dict(zip(names, statement["Parameters"], strict=True))
    places = collections.Counter({table: _kibibytes(item)})
    if "Error" not in answer:
        places.update({f"{table} {name}": 1 for name, keys in INDEXES.items() if keys <= item.keys()})
    return places


def _refused(request: dict, answer: dict) -> Written:
    """A condition that does not hold costs what the item there would."""
    there = answer.get("Item") or request.get("Item") or {}
    return collections.Counter({request.get("TableName", ""): _kibibytes(there)})


def _kibibytes(item: dict) -> int:
    return max(1, math.ceil(size_of(item) / WRITE_UNIT))


def _sum(parts: Iterable[Written]) -> Written:
    return sum(parts, collections.Counter())


def _batch(table: str, keys: dict, answer: dict) -> float:
    """Each item is rounded up by itself; one that is not there costs a unit's minimum."""
    found = answer.get("Responses", {}).get(table, [])
    missed = len(keys["Keys"]) - len(found) - len(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", []))
    return _read([*found, *({} for _ in range(missed))], keys.get("ConsistentRead"))


def _read(items: list[dict], consistent: bool | None, together: bool = False) -> float:
    sizes = [sum(size_of(item) for item in items)] if together else [size_of(item) for item in items]
    return sum(max(1, math.ceil(size / READ_UNIT)) for size in sizes) * (1.0 if consistent else 0.5)
