"""The worked examples of filters (tests/vectors/filters.json), judged by somebody else's matcher: moto's of EventBridge."""

import json
import unittest
from pathlib import Path
from typing import Any

from moto.events.models import EventPattern

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "filters.json"

# What moto does not do as AWS's page says, by what the examples are about.
CANNOT_JUDGE = {
    "one is not true": "in Python 1 equals True",
    "an empty array is absent": "it takes an empty array for a value",
    "an array in an array": "it does not look into arrays in arrays",
    "a key with a dot is no way in": "it joins keys by dots, as AWS's own library does and advises not to rely on",
}
# It does not look into arrays of objects, so it says nothing of these.
OF_ARRAYS_OF_OBJECTS = {
    "a field of an array's objects",
    "two fields of one object of an array",
    "arrays in arrays of objects",
    "absent in the object that is found",
    "absent in all objects, where nothing is found",
    "alternatives of an array's objects",
    "alternatives beside an array they look into, met",
}


class Filters(unittest.TestCase):
    def test_another_matcher_says_the_same_of_the_worked_examples(self):
        examples = json.loads(VECTORS.read_text())["judged"]
        differing = set()
        for example in examples:
            event: Any = {"event": example["event"], "data": example["data"], "tags": example.get("tags", {})}
            if EventPattern.load(json.dumps(example["filter"])).matches_event(event) != example["matches"]:
                differing.add(example["about"])
        self.assertGreater(len(examples) - len(differing), 130)
        self.assertEqual(differing, CANNOT_JUDGE.keys() | OF_ARRAYS_OF_OBJECTS)

    def test_each_example_is_about_something_of_its_own(self):
        examples = json.loads(VECTORS.read_text())
        for kind in ("judged", "refused"):
            about = [example["about"] for example in examples[kind]]
            self.assertEqual(len(about), len(set(about)), kind)


if __name__ == "__main__":
    unittest.main()
