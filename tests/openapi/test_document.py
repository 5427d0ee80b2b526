"""The document is fresh, and tells all that whoever calls the API wants to know."""

import re
import subprocess
import unittest
from collections.abc import Iterator
from typing import Any

from document import PLACE, ROOT, document, operations, resolved, schema_of
from jsonschema import Draft202012Validator

PROGRAM = ["cargo", "run", "--quiet", "--bin", "facts", "--", "openapi"]


def properties() -> Iterator[tuple[str, dict]]:
    """Every field of every schema, by its place."""
    for name, schema in document()["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            yield f"{name}.{field}", told


def whole(schema: Any) -> dict:
    """A schema without its references, and without the null that it may be instead."""
    told = resolved(document(), schema)
    others = [option for option in told.get("anyOf", []) if option.get("type") != "null"]
    return {**whole(others[0]), **told} if len(others) == 1 else told


class Fresh(unittest.TestCase):
    def test_it_is_as_the_functions_say(self):
        done = subprocess.run(PROGRAM, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"`{' '.join(PROGRAM)}` failed: run it by itself to see why")
        self.assertEqual(PLACE.read_text() == done.stdout, True, "docs/openapi.json is stale: run `make openapi`")

    def test_its_version_is_the_workspaces(self):
        version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
        self.assertEqual(document()["info"]["version"], version and version[1])


def several(told: Any, place: str = "") -> Iterator[str]:
    """Where a choice has a value twice."""
    if isinstance(told, dict):
        values = told.get("enum")
        if isinstance(values, list) and any(values.count(value) > 1 for value in values):
            yield place
        for name, inner in told.items():
            yield from several(inner, f"{place}/{name}")
    elif isinstance(told, list):
        for at, inner in enumerate(told):
            yield from several(inner, f"{place}/{at}")


class Choices(unittest.TestCase):
    def test_each_value_stands_once(self):
        self.assertEqual(list(several(document())), [], "programs that make clients refuse it")


class Examples(unittest.TestCase):
    def test_each_is_as_its_schema_says(self):
        """By a library that knows all of JSON Schema: what a schema says in words of its own is told here."""
        Draft202012Validator.check_schema({"$defs": document()["components"]["schemas"]})
        bodies = list(examples(document()))
        self.assertGreater(len(bodies), 70)
        for place, schema, example in bodies:
            with self.subTest(place=place):
                judge = Draft202012Validator({**schema, "components": document()["components"]})
                self.assertEqual([error.message for error in judge.iter_errors(example)], [])


class Complete(unittest.TestCase):
    def test_every_field_says_what_it_means_and_shows_an_example(self):
        self.assertGreater(len(list(properties())), 150)
        for place, told in properties():
            with self.subTest(field=place):
                self.assertRegex(told.get("description", ""), r"\w", "give it a doc comment")
                plain = whole(told)
                is_made_of_others = "properties" in plain or "items" in plain or "anyOf" in plain
                self.assertTrue(plain.get("examples") or is_made_of_others, "give it an example")

    def test_every_number_and_every_text_that_is_sent_is_bounded(self):
        sent = set()
        for _, operation in operations(document()):
            if (schema := schema_of(operation.get("requestBody", {}))) is not None:
                sent |= names_within(schema)
        for place, told in properties():
            with self.subTest(field=place):
                plain = whole(told)
                kinds = plain.get("type", [])
                if "integer" in kinds:
                    self.assertIn("minimum", plain)
                if place.split(".")[0] in sent and "integer" in kinds:
                    self.assertIn("maximum", plain)
                if place.split(".")[0] in sent and "string" in kinds and place not in UNBOUNDED:
                    self.assertTrue(plain.keys() & {"maxLength", "pattern", "enum", "format"}, "how long may it be?")

    def test_every_operation_says_what_it_does_and_what_it_answers(self):
        ids = [operation["operationId"] for _, operation in operations(document())]
        self.assertEqual(len(ids), len(set(ids)), "two operations with one name")
        for name, operation in operations(document()):
            with self.subTest(operation=name):
                self.assertRegex(operation["summary"], r"^[A-Z]\w* .*\w$")
                self.assertTrue(any(status.startswith("2") for status in operation["responses"]))
                variables = re.findall(r"{(\w+)}", name)
                named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
                self.assertEqual(named, variables, "say what stands in its path, in order")
                for status, answer in operation["responses"].items():
                    self.assertRegex(resolved(document(), answer)["description"], r"\w", status)

    def test_who_may_call_stands_at_each_operation(self):
        schemes = document()["components"]["securitySchemes"]
        for name, operation in operations(document()):
            with self.subTest(operation=name):
                for way in operation["security"]:
                    ((scheme, scopes),) = way.items()
                    self.assertIn(scheme, schemes)
                    kind = "Capability" if scheme == "session" else "Scope"
                    known = document()["components"]["schemas"][kind]["enum"]
                    self.assertLessEqual(set(scopes), set(known))
                    # What the operator may do as well, and only shows, any key may.
                    is_for_any = {"operator": []} in operation["security"] and name.startswith("GET")
                    needs_none = scheme == "operator" or (is_for_any and scheme != "session")
                    self.assertEqual(len(scopes), 0 if needs_none else 1)

    def test_no_two_types_have_one_name(self):
        """Of two schemas with the same name the second gets a number."""
        for name in document()["components"]["schemas"]:
            self.assertNotRegex(name, r"\d$", "two types of this name: rename one")

    def test_every_reference_leads_somewhere_and_nothing_stands_for_nobody(self):
        used = set(references(document()))
        for kind in ("schemas", "responses", "headers"):
            there = {f"#/components/{kind}/{name}" for name in document()["components"][kind]}
            self.assertEqual({one for one in used if one.startswith(f"#/components/{kind}/")} - there, set())
            self.assertEqual(there - used, set(), "nobody refers to it")


# Names of the operator's own dialects, and a project's id, which is only compared.
UNBOUNDED = {"CreateKey.dialect", "CreateLink.dialect", "VerifyRequest.dialect", "ProjectReport.projectId"}


def examples(value: Any, place: str = "") -> Iterator[tuple[str, dict, Any]]:
    """Every example of a document, with the schema that it is one of."""
    if isinstance(value, dict):
        if "schema" in value and "example" in value:
            yield place, value["schema"], value["example"]
        if isinstance(value.get("examples"), list):
            for example in value["examples"]:
                yield place, value, example
        for key, inner in value.items():
            if key not in ("example", "examples"):
                yield from examples(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from examples(inner, f"{place}/{at}")


def names_within(schema: Any) -> set[str]:
    """The names of all schemas that a schema refers to, however deep."""
    found: set[str] = set()
    left = [schema]
    while left:
        for reference in references(left.pop()):
            name = reference.rsplit("/", 1)[1]
            if name not in found:
                found.add(name)
                left.append(document()["components"]["schemas"][name])
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


if __name__ == "__main__":
    unittest.main()
