"""A change that breaks a client is told, unless the version says that there is one."""

import copy
import re
import unittest
from typing import Any

from compatibility import breaks, is_allowed, released
from document import ROOT, document


def small() -> dict:
    """A document with a bit of everything."""
    thing = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "at": {"type": "string", "format": "date-time"},
            "state": {"$ref": "#/components/schemas/State"},
            "note": {"anyOf": [{"$ref": "#/components/schemas/Name"}, {"type": "null"}]},
            "parts": {
                "type": "array",
                "items": {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]},
            },
        },
        "required": ["name", "at", "state", "note", "parts"],
    }
    change = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "size": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
            "state": {"$ref": "#/components/schemas/State"},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "more": {"type": "object", "properties": {"size": {"type": "integer"}}},
        },
        "required": ["name"],
    }
    error = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}
    narrowed = {"allOf": [{"$ref": "#/components/schemas/Error"}, {"properties": {"code": {"enum": ["not_found"]}}}]}
    operation = {
        "security": [{"keyInHeader": ["a"]}, {"key": ["a"]}],
        "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}}],
        "requestBody": {"required": False, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}},
        "responses": {
            "200": {
                "headers": {"ETag": {}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
            },
            "404": {"$ref": "#/components/responses/NotFound"},
        },
    }
    return {
        "paths": {"/things": {"patch": operation, "get": {"security": [], "responses": {"204": {}}}}},
        "components": {
            "schemas": {
                "Thing": thing,
                "Change": change,
                "Error": error,
                "Name": {"type": "string", "maxLength": 9, "pattern": "^a"},
                "State": {"type": "string", "enum": ["on", "off"]},
            },
            "responses": {"NotFound": {"content": {"application/json": {"schema": narrowed}}}},
        },
    }


PATCH = ("paths", "/things", "patch")
BODY = (*PATCH, "requestBody")
ANSWERS = (*PATCH, "responses")
SCHEMAS = ("components", "schemas")
CHANGE = (*SCHEMAS, "Change", "properties")
THING = (*SCHEMAS, "Thing", "properties")

# What is changed (a place, and what stands there then; nothing where it goes), and what is told.
BREAKS: list[tuple[tuple, Any, str]] = [
    (("paths", "/things"), None, "PATCH /things: it is gone"),
    (("paths", "/things", "get"), None, "GET /things: it is gone"),
    (("paths", "/things", "get", "security"), [{"key": ["a"]}], "it wants a key"),
    ((*PATCH, "security"), [{"key": ["a"]}], "is no longer let in"),
    ((*PATCH, "security"), [{"keyInHeader": ["b"]}, {"key": ["b"]}], "is no longer let in"),
    ((*PATCH, "parameters"), [], "its query has no limit any more"),
    ((*PATCH, "parameters", 0, "required"), True, "it wants limit in its query"),
    ((*PATCH, "parameters", 0, "schema", "maximum"), 100, "limit: its maximum is 100"),
    ((*PATCH, "parameters", 0, "schema", "type"), "string", "limit: integer is no longer taken"),
    ((*BODY, "required"), True, "it wants a body"),
    (BODY, None, "it takes no body any more"),
    ((*ANSWERS, "409"), {}, "it may answer 409"),
    ((*ANSWERS, "200"), None, "it no longer answers 200"),
    ((*ANSWERS, "200", "content"), None, "200 has no body any more"),
    ((*ANSWERS, "200", "headers", "ETag"), None, "200 has no header ETag any more"),
    ((*SCHEMAS, "Change", "required"), ["name", "size"], "body.size: it must be there"),
    ((*CHANGE, "size"), None, "body.size: it is no longer taken"),
    ((*CHANGE, "size", "type"), "integer", "body.size: null is no longer taken"),
    ((*CHANGE, "size", "minimum"), 2, "body.size: its minimum is 2"),
    ((*CHANGE, "size", "maximum"), 8, "body.size: its maximum is 8"),
    ((*CHANGE, "tags", "minItems"), 2, "body.tags: its minItems is 2"),
    ((*CHANGE, "tags", "uniqueItems"), True, "body.tags: each may come once"),
    ((*CHANGE, "tags", "items", "type"), "integer", "body.tags[]: string is no longer taken"),
    ((*CHANGE, "tags", "items", "enum"), ["a"], "body.tags[]: anything is no longer taken"),
    ((*CHANGE, "more", "additionalProperties"), False, "body.more: it takes no other fields any more"),
    ((*SCHEMAS, "Name", "maxLength"), 8, "body.name: its maxLength is 8"),
    ((*SCHEMAS, "Name", "pattern"), "^b", "body.name: its pattern is ^b"),
    ((*SCHEMAS, "State", "enum"), ["on"], "body.state: off is no longer taken"),
    ((*THING, "name"), None, "200.name: it is gone"),
    ((*SCHEMAS, "Thing", "required"), ["at", "state", "note", "parts"], "200.name: it may be left out"),
    ((*THING, "name", "type"), "integer", "200.name: it may be integer"),
    ((*THING, "name", "type"), ["string", "null"], "200.name: it may be null"),
    ((*THING, "at", "format"), None, "200.at: its format is None"),
    ((*THING, "state"), {"type": "string"}, "200.state: it may be anything"),
    ((*THING, "note", "anyOf", 1, "type"), "integer", "200.note: it has a new form"),
    ((*THING, "note", "anyOf", 0), {"type": "null"}, "200.note: a form of it is gone"),
    ((*CHANGE, "more", "properties"), None, "body.more.size: it is no longer taken"),
    ((*THING, "parts", "items", "properties", "size"), None, "200.parts[].size: it is gone"),
    ((*SCHEMAS, "Error", "properties", "code", "type"), "integer", "404.code: it may be integer"),
]
FINE: list[tuple[tuple, Any]] = [
    (("paths", "/others"), {"get": {"security": [], "responses": {}}}),
    ((*PATCH, "security"), [{"key": ["a"]}, {"keyInHeader": ["a"]}]),
    ((*PATCH, "security"), []),
    ((*PATCH, "parameters", 0, "schema", "maximum"), 300),
    ((*PATCH, "summary"), "Another"),
    ((*ANSWERS, "404"), None),
    ((*ANSWERS, "200", "headers", "Age"), {}),
    ((*CHANGE, "extra"), {"type": "string"}),
    ((*CHANGE, "size", "maximum"), 10),
    ((*SCHEMAS, "Change", "required"), []),
    ((*SCHEMAS, "State", "enum"), ["on", "off", "broken"]),
    ((*THING, "extra"), {"type": "string"}),
    ((*THING, "note"), {"$ref": "#/components/schemas/Name"}),
    ((*SCHEMAS, "Thing", "required"), ["name", "at", "state", "note", "parts", "extra"]),
]


def changed(place: tuple, value: Any) -> dict:
    whole = copy.deepcopy(small())
    *way, last = place
    within: Any = whole
    for step in way:
        within = within[step]
    if value is None:
        del within[last]
    else:
        within[last] = value
    return whole


class Breaks(unittest.TestCase):
    def test_each_is_told(self):
        for place, value, words in BREAKS:
            with self.subTest(place=place, value=value):
                told = breaks(small(), changed(place, value))
                self.assertTrue(any(words in one for one in told), f"{words!r} is not among {told}")

    def test_what_breaks_nothing_is_not(self):
        self.assertEqual(breaks(small(), small()), [])
        for place, value in FINE:
            with self.subTest(place=place, value=value):
                self.assertEqual(breaks(small(), changed(place, value)), [])

    def test_of_the_whole_document_too(self):
        self.assertEqual(breaks(document(), document()), [])
        for name, schema in document()["components"]["schemas"].items():
            for field in schema.get("required", []):
                with self.subTest(field=f"{name}.{field}"):
                    now = copy.deepcopy(document())
                    del now["components"]["schemas"][name]["properties"][field]
                    self.assertNotEqual(breaks(document(), now), [])

    def test_a_version_says_that_there_may_be_some(self):
        for before, now, allowed in [
            ("0.1.0", "0.1.1", False),
            ("0.1.9", "0.2.0", True),
            ("0.9.0", "1.0.0", True),
            ("1.2.3", "1.3.0", False),
            ("1.9.0", "2.0.0", True),
            ("2.0.0", "1.9.0", False),
        ]:
            self.assertEqual(is_allowed(before, now), allowed, f"{before} to {now}")


class Released(unittest.TestCase):
    def test_what_clients_of_the_last_release_rely_on_stays(self):
        if (before := released()) is None:
            return
        versions = before["info"]["version"], document()["info"]["version"]
        if not is_allowed(*versions):
            advice = (
                f"put it back, or raise the version in Cargo.toml so that it says so (it is {versions[1]} after {versions[0]})"
            )
            self.assertEqual(breaks(before, document()), [], advice)

    def test_a_release_has_its_document(self):
        """As the tables' indexes have theirs: a document of the release before would let pass what breaks this one's clients."""
        headings = re.findall(r"^## v?(\d+\.\d+\.\d+)\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        version = (released() or {"info": {"version": None}})["info"]["version"]
        newest = headings[0] if headings else None
        self.assertEqual(version, newest, "a release renews docs/openapi.released.json: tests/openapi/compatibility.py <version>")


if __name__ == "__main__":
    unittest.main()
