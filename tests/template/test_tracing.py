"""Traces: off and free unless an operator asks, and then of the functions that an event passes."""

import unittest

from template import FUNCTIONS, Template, as_list, holds, on_aws

TRACED = "EventsAreTraced"
# Those that begin or end a span.
ON_THE_WAY = {"events", "fanout", "deliver"}


class Tracing(unittest.TestCase):
    def setUp(self):
        self.template = Template()

    def test_nothing_is_traced_unless_an_operator_asks(self):
        parameter = self.template.all["Parameters"]["Tracing"]
        self.assertEqual((parameter["Default"], parameter["AllowedValues"]), ("off", ["off", "xray"]))
        asked = self.template.all["Conditions"][TRACED]
        self.assertEqual([holds(asked, {"Tracing": chosen}) for chosen in ("off", "xray")], [False, True])
        for name in FUNCTIONS:
            with self.subTest(function=name):
                function = on_aws(self.template.function(name))
                self.assertEqual(function.get("Tracing", "PassThrough"), "PassThrough", "Lambda would record, and X-Ray bill")
                self.assertNotIn("TRACING", function["Environment"]["Variables"])
                allowed = [a for s in self.template.statements(f"{name.capitalize()}Role") for a in as_list(s["Action"])]
                self.assertFalse([action for action in allowed if action.startswith("xray:")])

    def test_then_the_functions_that_an_event_passes_are(self):
        for name in FUNCTIONS:
            with self.subTest(function=name):
                function = on_aws(self.template.function(name), TRACED)
                told = function["Environment"]["Variables"].get("TRACING")
                self.assertEqual(told, "xray" if name in ON_THE_WAY else None)
                # Without it Lambda runs no daemon beside the function.
                self.assertEqual(function.get("Tracing"), "Active" if name in ON_THE_WAY else None)
                statements = self.template.statements(f"{name.capitalize()}Role", TRACED)
                allowed = {a for s in statements for a in as_list(s["Action"]) if a.startswith("xray:")}
                expected = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
                self.assertEqual(allowed, expected if name in ON_THE_WAY else set())


if __name__ == "__main__":
    unittest.main()
