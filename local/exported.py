"""A table's rows in a file: a line for each, as DynamoDB's own export writes them, and beside it how far it goes."""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from step import Failed
from table_rows import Page, Row


@dataclass
class Place:
    """How far somebody has come: in the file, and where he reads from, in the table."""

    bytes: int = 0
    rows: int = 0
    after: Row | None = None
    done: bool = False


class Exported:
    """Grows by a page at a time. Whoever dies in between leaves at most what the place does not know of, which is cut off."""

    def __init__(self, folder: Path, table: str) -> None:
        self.file = folder / f"{table}.jsonl"
        self._noted = folder / f"{table}.place"
        self._folder = folder

    def place(self) -> Place:
        return read_place(self._noted)

    def add(self, page: Page) -> Place:
        place = self.place()
        # It holds what customers were sent, and secrets under a key: nobody else's to read.
        with os.fdopen(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(place.bytes)
            file.seek(place.bytes)
            for row in page.rows:
                file.write(line(row))
            file.flush()
            os.fsync(file.fileno())
            place = Place(file.tell(), place.rows + len(page.rows), page.after, page.after is None)
        write_place(self._noted, place)
        return place

    def batches(self, size: int, begin: int = 0) -> Iterator[tuple[list[Row], int]]:
        """The rows, so many at a time, from a byte on, and how far each batch goes."""
        if not self.place().done:
            raise Failed(f"{self.file} is not whole: let the export come to its end first")
        with self.file.open("rb") as file:
            file.seek(begin)
            rows: list[Row] = []
            for text in file:
                rows.append(json.loads(text, object_hook=binary)["Item"])
                begin += len(text)
                if len(rows) == size:
                    yield rows, begin
                    rows = []
            if rows:
                yield rows, begin

    def put_into(self, table: str) -> Path:
        """Where it is noted how far it was put into a table, by the table's own name."""
        return self._folder / f"{self.file.stem}.into.{table}"


def line(row: Row) -> bytes:
    return json.dumps({"Item": row}, separators=(",", ":"), ensure_ascii=False, default=text_of).encode() + b"\n"


def text_of(value: Any) -> str:
    """A binary value, as DynamoDB's JSON has it."""
    if not isinstance(value, bytes):
        raise TypeError(f"no value of DynamoDB's: {type(value)}")
    return base64.b64encode(value).decode()


def binary(value: dict) -> dict:
    """And back. No row of Postrider's has an attribute of this name, and a value's type stands alone."""
    return {"B": base64.b64decode(value["B"])} if value.keys() == {"B"} and isinstance(value["B"], str) else value


def read_place(path: Path) -> Place:
    return Place(**json.loads(path.read_text())) if path.exists() else Place()


def write_place(path: Path, place: Place) -> None:
    """In one move: whoever dies here leaves the one before."""
    draft = path.with_suffix(f"{path.suffix}.draft")
    draft.write_text(json.dumps(asdict(place), default=text_of))
    draft.rename(path)
