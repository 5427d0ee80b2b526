"""Each function's table of routes, the gateway's routes and the pages name the same paths."""

import re
import unittest

from facts import routes
from pages import pages
from template import Template


def integration(function: str) -> str:
    return f"{function.capitalize()}Integration"


class Gateway(unittest.TestCase):
    def setUp(self):
        template = Template()
        found = [route["Properties"] for route in template.of_type("AWS::ApiGatewayV2::Route").values()]
        self.routed = {r["RouteKey"]: r["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}") for r in found}
        self.integrations = template.of_type("AWS::ApiGatewayV2::Integration")

    def test_every_path_of_a_function_leads_to_it(self):
        for function, table in routes().items():
            for route in table:
                with self.subTest(function=function, route=route):
                    key = f"ANY {route['path']}"
                    target = integration(function)
                    todo = f'RouteKey: "{key}", Target: !Sub "integrations/${{{target}}}"'
                    told = f"callers get a 404 until template.yaml has an AWS::ApiGatewayV2::Route with {todo}"
                    self.assertEqual(self.routed.get(key), target, told)

    def test_every_route_leads_to_a_function_that_has_its_path(self):
        for key, target in self.routed.items():
            # What has no route is led to a function as well, for an answer in a shape of ours. The portal has a table of its own.
            if key == "$default" or key.endswith("{proxy+}") or key == "ANY /portal":
                continue
            with self.subTest(route=key):
                function = target.removesuffix("Integration").lower()
                paths = {route["path"] for route in routes()[function]}
                todo = f"put it into the ROUTES of functions/{function}, or take {key!r} out of template.yaml"
                self.assertIn(key.split(" ")[1], paths, f"{function} answers it with a 404: {todo}")

    def test_all_below_the_portals_path_is_the_portals(self):
        portals = {key for key, target in self.routed.items() if target == "PortalIntegration"}
        self.assertEqual(portals, {"ANY /portal", "ANY /portal/{proxy+}"})
        uri = self.integrations["PortalIntegration"]["Properties"]["IntegrationUri"]
        self.assertEqual(uri, {"Fn::GetAtt": ["PortalFunction", "Arn"]})

    def test_each_integration_is_of_its_function(self):
        for function in routes():
            uri = self.integrations[integration(function)]["Properties"]["IntegrationUri"]
            self.assertEqual(uri, {"Fn::GetAtt": [f"{function.capitalize()}Function", "Arn"]}, "another one would answer")


class Repeated(unittest.TestCase):
    def test_only_what_changes_nothing_twice_may_simply_be_repeated(self):
        for table in routes().values():
            for route in table:
                with self.subTest(route=route):
                    self.assertEqual(route["instead_of_repeating"] is None, route["method"] != "POST")

    def test_what_is_said_instead_is_of_use(self):
        """That each POST says something the compiler sees; here, that it names something to do."""
        told = [r["instead_of_repeating"] for table in routes().values() for r in table if r["method"] == "POST"]
        self.assertGreater(len(told), 10)
        for advice in told:
            self.assertRegex(advice, r"\b(look at|repeat(ing)? (it|is safe)|rotate again|starts another one)\b")


class Pages(unittest.TestCase):
    def test_they_name_no_route_that_there_is_not(self):
        known = {shape(f"{route['method']} {route['path']}") for table in routes().values() for route in table}
        named = [
            (page, name)
            for page, text in pages().items()
            for name in re.findall(
                r"\b(?:GET|POST|PATCH|PUT|DELETE)\s/[\w/{}-]+(?:\.\w+)?", text.replace("ext:{external_id}", "{id}")
            )
        ]
        self.assertGreater(len(named), 10)
        for page, name in named:
            self.assertIn(shape(name), known, f"{page} sends its reader to {name}, which no function's ROUTES have")


def shape(route: str) -> str:
    """A route without the names of its variables, on one line."""
    return re.sub(r"\{\w+\}", "{}", " ".join(route.split()))


if __name__ == "__main__":
    unittest.main()
