"""What a session in the portal may do, as the page on security says it, and where links to it lead."""

import re
import unittest

from facts import routes
from pages import pages
from template import FUNCTIONS, Template

SECTION = re.compile(r"^## Sessions in the portal\n(.*?)^## ", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\| (any capability|`[a-z]+`)[^|]*?(, for all webhooks)? \| (`[^|]+`) \|$", re.MULTILINE)


class Sessions(unittest.TestCase):
    def test_the_page_lists_what_each_capability_opens(self):
        (section,) = SECTION.findall(pages()["docs/security.md"])
        told = {
            (route, "view" if capability.startswith("any") else capability.strip("`"), bool(whole))
            for capability, whole, listed in ROW.findall(section)
            for route in re.findall(r"`([^`]+)`", listed)
        }
        there = {
            (f"{route['method']} {route['path']}", route["capability"], route["whole"])
            for table in routes().values()
            for route in table
            if route["capability"]
        }
        self.assertEqual(told, there)


class PublicUrl(unittest.TestCase):
    def test_every_function_that_sends_people_somewhere_knows_where_the_api_is(self):
        template = Template()
        output = template.all["Outputs"]["ApiUrl"]["Value"]
        told = {
            (function, name): value
            for function in FUNCTIONS
            for name, value in template.environment(function)["Variables"].items()
            if name in ("PUBLIC_URL", "API_URL")
        }
        self.assertEqual(len(told), 2)
        for place, value in told.items():
            self.assertEqual(value, output, f"{place}: its links would lead elsewhere")


if __name__ == "__main__":
    unittest.main()
