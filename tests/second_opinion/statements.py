"""A PartiQL statement, as far as our programs write any: an INSERT of one item with a parameter for each attribute."""

import dataclasses
import re
from typing import Self

INSERT = re.compile(r"""INSERT INTO "([A-Za-z0-9_.-]+)" VALUE \{('[^']+': \?(?:, '[^']+': \?)*)\}""")
NAME = re.compile(r"'([^']+)': \?")


class Unread(Exception):
    """A statement that is no such insert."""


@dataclasses.dataclass(frozen=True)
class Insert:
    table: str
    item: dict

    @classmethod
    def of(cls, statement: dict) -> Self:
        found = INSERT.fullmatch(statement["Statement"])
        if found is None:
            raise Unread(f"the statement {statement['Statement']}")
        names, parameters = NAME.findall(found[2]), statement.get("Parameters", [])
        if len(names) != len(parameters) or len(set(names)) != len(names):
            raise Unread(f"{len(names)} names and {len(parameters)} parameters: {statement['Statement']}")
        return cls(found[1], dict(zip(names, parameters, strict=True)))
