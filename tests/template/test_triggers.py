"""The bus: what comes over it is heard by the right function, tried again, and never lost without a trace."""

import unittest

from facts import facts
from template import Template

DEAD_END = {"Fn::GetAtt": ["TriggersQueue", "Arn"]}
STRANGERS = "StrangersFromBus"
HOUR = 3600


def hears() -> dict[str, tuple[str, str]]:
    """The rules by which a function hears of its detail-type."""
    named = facts()["detail_types"]
    return {"EventsFromBus": (named["event"], "EventsFunction"), "JobsFromBus": (named["job"], "JobsFunction")}


class Bus(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        rules = {name: r["Properties"] for name, r in self.template.of_type("AWS::Events::Rule").items()}
        self.rules = {name: rule for name, rule in rules.items() if "EventPattern" in rule}

    def test_it_is_the_stacks_own(self):
        bus = self.template.properties("EventBus")
        self.assertEqual(bus, {"Name": {"Ref": "AWS::StackName"}}, "two stacks would share it")
        for name, rule in self.rules.items():
            self.assertEqual(rule["EventBusName"], {"Ref": "EventBus"}, f"{name}: the default bus is everybody's")
        self.assertFalse(self.template.of_type("AWS::Events::EventBusPolicy"), "other accounts could publish")

    def test_each_detail_type_goes_to_its_function_alone(self):
        found = {}
        for name, rule in self.rules.items():
            (target,) = rule["Targets"]
            self.assertNotIn("InputTransformer", target, "the function reads the envelope")
            self.assertEqual(list(rule["EventPattern"]), ["detail-type"], "any service may be the source")
            (detail_type,) = rule["EventPattern"]["detail-type"]
            if name == STRANGERS:
                continue
            found[name] = (detail_type, target["Arn"]["Fn::GetAtt"][0])
        self.assertEqual(found, hears(), "the function refuses any other")

    def test_what_nobody_hears_goes_to_the_function_that_sets_it_aside(self):
        rule = self.rules[STRANGERS]
        (pattern,) = rule["EventPattern"]["detail-type"]
        self.assertEqual(
            set(pattern["anything-but"]), set(facts()["detail_types"].values()), "each is heard by one, a slip by none"
        )
        self.assertEqual(rule["Targets"][0]["Arn"], {"Fn::GetAtt": ["EventsFunction", "Arn"]})

    def test_what_postrider_announces_comes_back_to_no_function(self):
        for rule in self.rules.values():
            heard = rule["EventPattern"]["detail-type"]
            for announced in ("job_created", "notice"):
                self.assertNotIn(facts()["detail_types"][announced], heard, "fan-out puts it there: it would go round")

    def test_the_rules_may_invoke_and_nothing_else_of_eventbridge(self):
        permitted = {
            p["Properties"]["SourceArn"]["Fn::GetAtt"][0]: p["Properties"]["FunctionName"]["Ref"]
            for p in self.template.of_type("AWS::Lambda::Permission").values()
            if p["Properties"]["Principal"] == "events.amazonaws.com"
        }
        self.assertEqual(
            permitted,
            {"SweepTimer": "SweepFunction", STRANGERS: "EventsFunction"}
            | {rule: function for rule, (_, function) in hears().items()},
        )

    def test_what_a_rule_cannot_deliver_is_kept(self):
        for name, rule in self.rules.items():
            self.assertEqual(rule["Targets"][0]["DeadLetterConfig"], {"Arn": DEAD_END}, name)
        _, allowed = self.template.properties("TriggersQueuePolicy")["PolicyDocument"]["Statement"]
        self.assertEqual(allowed["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual((allowed["Action"], allowed["Resource"]), ("sqs:SendMessage", DEAD_END))
        sources = {arn["Fn::GetAtt"][0] for arn in allowed["Condition"]["ArnEquals"]["aws:SourceArn"]}
        self.assertEqual(sources, set(self.rules), "without leave the rule's dead letters vanish; with more anybody's come")


class Retries(unittest.TestCase):
    """The emulator runs a failing function behind a rule once and forgets the event: AWS does what stands here."""

    def setUp(self):
        self.template = Template()
        configs = self.template.of_type("AWS::Lambda::EventInvokeConfig").values()
        self.configs = {c["Properties"]["FunctionName"]["Ref"]: c["Properties"] for c in configs}

    def test_every_function_that_something_invokes_asynchronously_says_how_it_is_retried(self):
        asynchronous = {
            p["Properties"]["FunctionName"]["Ref"]
            for p in self.template.of_type("AWS::Lambda::Permission").values()
            if p["Properties"]["Principal"] == "events.amazonaws.com"
        }
        self.assertEqual(set(self.configs), asynchronous)
        for function, config in self.configs.items():
            self.assertEqual(config["Qualifier"], "$LATEST", f"{function}: rules invoke no version")

    def test_an_error_of_ours_costs_time_and_no_event(self):
        for _, function in hears().values():
            with self.subTest(function=function):
                config = self.configs[function]
                self.assertEqual(config["MaximumRetryAttempts"], 2, "the most that Lambda tries")
                self.assertGreaterEqual(config["MaximumEventAgeInSeconds"], HOUR, "throttling would use it up")
                self.assertEqual(config["DestinationConfig"], {"OnFailure": {"Destination": DEAD_END}}, "it would be dropped")

    def test_their_roles_may_leave_it_there(self):
        senders = self.template.roles_that_may("sqs:SendMessage", DEAD_END)
        self.assertEqual(senders, {"EventsRole", "JobsRole"}, "Lambda sends in the function's name, the function its refusals")


if __name__ == "__main__":
    unittest.main()
