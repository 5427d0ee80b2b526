"""What keys may do: each scope opens a route, and the pages name the scopes that there are."""

import re
import unittest

from facts import facts, routes
from pages import pages, words

OPERATOR = "operator"
NOBODY = "none"
ANY = "any"
VISITOR = "session"


class Scopes(unittest.TestCase):
    def test_each_opens_a_route_and_each_route_asks_for_one(self):
        asked = {route["scope"] for table in routes().values() for route in table}
        self.assertEqual(
            asked,
            {*facts()["scopes"], OPERATOR, NOBODY, ANY, VISITOR},
            "a key could have it and do nothing with it, or nobody could have it",
        )

    def test_the_readme_lists_all(self):
        (listed,) = re.findall(r"The scopes\s+are (.*?)[;.]\s", pages()["README.md"], re.DOTALL)
        self.assertEqual(words(listed), facts()["scopes"], "README.md, 'The calls': name there what shared/domain/src/key.rs has")

    def test_pages_ask_for_none_that_there_is_not(self):
        asked = [
            (page, scope)
            for page, text in pages().items()
            for scopes in re.findall(r'"scopes": \[(.*?)\]', text, re.DOTALL)
            for scope in re.findall(r'"([^"]+)"', scopes)
        ]
        self.assertGreater(len(asked), 3)
        for page, scope in asked:
            self.assertIn(scope, facts()["scopes"], f"{page}: the call that it shows is refused")


if __name__ == "__main__":
    unittest.main()
