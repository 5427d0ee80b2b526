"""What a call to DynamoDB is billed, from its request and its answer.

Writes are as the emulator tells them under ReturnConsumedCapacity, which follows AWS's rules: the larger of the item
before and after, a kibibyte a unit, and each index that the write touches. It tells no size of reads and nothing of
refused writes, so these are counted here.
"""

import dataclasses
import math
import re

from item_size import size_of

READ_UNIT = 4096
WRITE_UNIT = 1024


@dataclasses.dataclass
class Units:
    """Write and read units."""

    write: float = 0.0
    read: float = 0.0


def units_of(operation: str, request: dict, status: int, answer: dict) -> Units:
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return Units(write=_written(answer) if status == 200 else _refused(request, answer))
    if operation == "BatchExecuteStatement":
        answers = answer.get("Responses", [])
        return Units(write=sum(_inserted(statement) for statement, _ in zip(request["Statements"], answers, strict=True)))
    if operation in ("TransactWriteItems", "BatchWriteItem"):
        consumed = answer.get("ConsumedCapacity", [])
        return Units(write=sum(_total(table) for table in consumed))
    if operation == "GetItem":
        return Units(read=_read([answer.get("Item", {})], request.get("ConsistentRead")))
    if operation == "BatchGetItem":
        return Units(read=sum(_batch(table, keys, answer) for table, keys in request["RequestItems"].items()))
    if operation == "Query":
        return Units(read=_read([*answer.get("Items", [])], request.get("ConsistentRead"), together=True))
    raise ValueError(f"no rule for {operation}")


def _written(answer: dict) -> float:
    return _total(answer["ConsumedCapacity"])


def _total(consumed: dict) -> float:
    return float(consumed["CapacityUnits"])


def _inserted(statement: dict) -> float:
    """A PartiQL statement is billed as the put that it stands for, refused ones too."""
    names = re.findall(r"'([^']+)': \?", statement["Statement"])
    item = dict(zip(names, statement["Parameters"], strict=True))
    return max(1, math.ceil(size_of(item) / WRITE_UNIT))


def _refused(request: dict, answer: dict) -> float:
    """A condition that does not hold costs what the item there would."""
    there = answer.get("Item") or request.get("Item") or {}
    return max(1, math.ceil(size_of(there) / WRITE_UNIT))


def _batch(table: str, keys: dict, answer: dict) -> float:
    """Each item is rounded up by itself; one that is not there costs a unit's minimum."""
    found = answer.get("Responses", {}).get(table, [])
    missed = len(keys["Keys"]) - len(found) - len(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", []))
    return _read([*found, *({} for _ in range(missed))], keys.get("ConsistentRead"))


def _read(items: list[dict], consistent: bool | None, together: bool = False) -> float:
    sizes = [sum(size_of(item) for item in items)] if together else [size_of(item) for item in items]
    return sum(max(1, math.ceil(size / READ_UNIT)) for size in sizes) * (1.0 if consistent else 0.5)
