"""What a client of the last release could no longer do, or no longer rely on.

`docs/openapi.released.json` is the document as the last release has it; a release renews it: `compatibility.py 1.2.3`. A break is
allowed where the version says so: another major one, or another minor one before 1.0.0.

No library: of those that judge documents of OpenAPI 3.1 the maintained one is a program in Go, and ours has few keywords."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from document import PLACE, RELEASED, ROOT, document, operations, resolved, schema_of

VERSION = re.compile(r"\d+\.\d+\.\d+")
# Bounds of what may be sent: the least of something, and the most.
LEAST = ("minimum", "minLength", "minItems")
MOST = ("maximum", "maxLength", "maxItems", "maxProperties")


def breaks(before: dict, now: dict) -> list[str]:
    """All of them, each in words; both are whole documents."""
    return list(Comparison(before, now).breaks())


def is_allowed(before: str, now: str) -> bool:
    """Whether a version says that something may break."""
    (major, minor), (new_major, new_minor) = (tuple(map(int, version.split(".")[:2])) for version in (before, now))
    return new_major > major or (major == new_major == 0 and new_minor > minor)


class Comparison:
    def __init__(self, before: dict, now: dict) -> None:
        self.before, self.now = before, now

    def breaks(self) -> Iterator[str]:
        there = dict(operations(self.now))
        for name, operation in operations(self.before):
            if name not in there:
                yield f"{name}: it is gone"
                continue
            for found in self.of_operation(operation, there[name]):
                yield f"{name}: {found}"

    def of_operation(self, before: dict, now: dict) -> Iterator[str]:
        for way in before["security"]:
            if now["security"] and way not in now["security"]:
                yield f"a caller with {json.dumps(way)} is no longer let in"
        if not before["security"] and now["security"]:
            yield "it wants a key"
        yield from self.of_parameters(before.get("parameters", []), now.get("parameters", []))
        yield from self.of_request(before.get("requestBody", {}), now.get("requestBody", {}))
        for status in now["responses"].keys() - before["responses"].keys():
            yield f"it may answer {status}"
        for status, answer in before["responses"].items():
            if status in now["responses"]:
                told, tells = resolved(self.before, answer), resolved(self.now, now["responses"][status])
                yield from self.of_answer(status, told, tells)
            elif status.startswith("2"):
                yield f"it no longer answers {status}"

    def of_parameters(self, before: list[dict], now: list[dict]) -> Iterator[str]:
        by_name = {(one["in"], one["name"]): one for one in now}
        known = {(one["in"], one["name"]): one for one in before}
        for key, one in known.items():
            if key not in by_name:
                yield f"its {key[0]} has no {key[1]} any more"
            else:
                yield from self.sent(one["schema"], by_name[key]["schema"], key[1])
        for key, one in by_name.items():
            if one.get("required") and not known.get(key, {}).get("required"):
                yield f"it wants {key[1]} in its {key[0]}"

    def of_request(self, before: dict, now: dict) -> Iterator[str]:
        if now.get("required") and not before.get("required"):
            yield "it wants a body"
        told, tells = schema_of(before), schema_of(now)
        if told is not None and tells is None:
            yield "it takes no body any more"
        elif told is not None:
            yield from self.sent(told, tells, "body")

    def of_answer(self, status: str, before: dict, now: dict) -> Iterator[str]:
        for name in before.get("headers", {}).keys() - now.get("headers", {}).keys():
            yield f"{status} has no header {name} any more"
        told, tells = schema_of(before), schema_of(now)
        if told is not None and tells is None:
            yield f"{status} has no body any more"
        elif told is not None:
            yield from self.answered(told, tells, status)

    def sent(self, before: Any, now: Any, place: str) -> Iterator[str]:
        """What could be sent, and cannot be any more."""
        options, others = self.options(before, now)
        if len(options) > 1 or len(others) > 1:
            yield from unmatched(
                options, others, lambda old, new: self.sent(old, new, place), f"{place}: one form is no longer taken"
            )
            return
        old, new = options[0], others[0]
        if gone := types(old) - types(new):
            yield f"{place}: {', '.join(sorted(gone))} is no longer taken"
        if "enum" in new and (lost := [v for v in old.get("enum", ["anything"]) if v not in new["enum"]]):
            yield f"{place}: {', '.join(map(str, lost))} is no longer taken"
        yield from narrowed(old, new, place)
        yield from self.of_fields(old, new, place)
        if "items" in old and "items" in new:
            yield from self.sent(old["items"], new["items"], f"{place}[]")

    def of_fields(self, old: dict, new: dict, place: str) -> Iterator[str]:
        fields, there = old.get("properties", {}), new.get("properties", {})
        is_closed = new.get("additionalProperties") is False
        for name in new.get("required", []):
            if name not in old.get("required", []):
                yield f"{place}.{name}: it must be there"
        for name, schema in fields.items():
            if name in there:
                yield from self.sent(schema, there[name], f"{place}.{name}")
            else:
                yield f"{place}.{name}: it is no longer taken"
        if is_closed and old.get("additionalProperties") is not False and types(old) & {"object"}:
            yield f"{place}: it takes no other fields any more"

    def answered(self, before: Any, now: Any, place: str) -> Iterator[str]:
        """What could be relied on in an answer, and cannot be any more. New fields and new names are announced."""
        options, others = self.options(before, now)
        if len(options) > 1 or len(others) > 1:
            yield from unmatched(others, options, lambda new, old: self.answered(old, new, place), f"{place}: it has a new form")
            kept = [old for old in options if types(old) != {"null"}]
            yield from unmatched(kept, others, lambda old, new: self.answered(old, new, place), f"{place}: a form of it is gone")
            return
        old, new = options[0], others[0]
        if come := types(new) - types(old):
            yield f"{place}: it may be {', '.join(sorted(come))}"
        if old.get("format") != new.get("format"):
            yield f"{place}: its format is {new.get('format')}"
        if "enum" in old and "enum" not in new:
            yield f"{place}: it may be anything"
        fields, there = old.get("properties", {}), new.get("properties", {})
        for name, schema in fields.items():
            if name not in there:
                yield f"{place}.{name}: it is gone"
                continue
            if name in old.get("required", []) and name not in new.get("required", []):
                yield f"{place}.{name}: it may be left out"
            yield from self.answered(schema, there[name], f"{place}.{name}")
        if "items" in old and "items" in new:
            yield from self.answered(old["items"], new["items"], f"{place}[]")

    def options(self, before: Any, now: Any) -> tuple[list[dict], list[dict]]:
        return options_of(self.before, before), options_of(self.now, now)


def options_of(whole: dict, schema: Any) -> list[dict]:
    """A schema's forms: one, unless it says otherwise."""
    told = resolved(whole, schema)
    if "anyOf" in told:
        return [one for option in told["anyOf"] for one in options_of(whole, option)]
    if "allOf" in told:
        parts = [options_of(whole, part)[0] for part in told["allOf"]]
        return [merged(whole, parts)]
    return [told]


def merged(whole: dict, parts: list[dict]) -> dict:
    """What all of these say, of one thing."""
    first, *others = (resolved(whole, part) for part in parts)
    together = dict(first)
    for part in others:
        for key, says in part.items():
            if key == "properties":
                fields = together.get("properties", {})
                both = {
                    name: merged(whole, [fields[name], schema]) if name in fields else schema for name, schema in says.items()
                }
                together["properties"] = {**fields, **both}
            else:
                together[key] = says
    return together


def unmatched(each: list[dict], others: list[dict], judge: Callable[[dict, dict], Iterator[str]], words: str) -> Iterator[str]:
    """Says so where one has no counterpart among the others."""
    for one in each:
        if not any(not list(judge(one, other)) for other in others):
            yield words


def types(schema: dict) -> set[str]:
    """What a value may be; a whole number is a number."""
    told = schema.get("type", ["null", "boolean", "number", "integer", "string", "array", "object"])
    return set(told if isinstance(told, list) else [told])


def narrowed(old: dict, new: dict, place: str) -> Iterator[str]:
    for bound in LEAST:
        if new.get(bound, 0) > old.get(bound, 0):
            yield f"{place}: its {bound} is {new[bound]}"
    for bound in MOST:
        if bound in new and new[bound] < old.get(bound, float("inf")):
            yield f"{place}: its {bound} is {new[bound]}"
    if new.get("pattern") not in (None, old.get("pattern")):
        yield f"{place}: its pattern is {new['pattern']}"
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield f"{place}: each may come once"


def released() -> dict | None:
    """The document of the last release; nothing before the first."""
    return json.loads(RELEASED.read_text())


if __name__ == "__main__":
    (version,) = sys.argv[1:]
    assert VERSION.fullmatch(version), "a version such as 1.2.3"
    assert document()["info"]["version"] == version, "Cargo.toml says otherwise: change it, and run `make openapi`"
    RELEASED.write_text(PLACE.read_text())
    sys.stdout.write(f"{RELEASED.relative_to(ROOT)} is as {version} has it.\n")
