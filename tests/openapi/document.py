"""The API's document as the repository has it, and the ways of asking that the checks in this folder need."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "docs" / "openapi.json"
RELEASED = ROOT / "docs" / "openapi.released.json"


@functools.cache
def document() -> dict:
    return json.loads(PLACE.read_text())


def operations(whole: dict) -> Iterator[tuple[str, dict]]:
    """Every operation of a document, by its method and path."""
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(whole: dict, value: Any) -> Any:
    """What a reference refers to; anything else as it is. What stands beside a reference goes over what it refers to."""
    while isinstance(value, dict) and (reference := value.get("$ref")) is not None:
        found = whole
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        value = {**found, **{key: inner for key, inner in value.items() if key != "$ref"}}
    return value


def schema_of(body: dict) -> dict | None:
    """The schema of a request's body, or of an answer."""
    return body.get("content", {}).get("application/json", {}).get("schema")
