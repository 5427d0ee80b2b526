"""The statements that docs/triggers.md gives to be pasted: each allows the calls that its way in needs, and none beside them."""

import functools
import json
import re
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template"))

from facts import facts
from judge import Judge
from needs import Needs
from resolved import Resolved, arn
from rights import Need, holds, rights_in
from run_dir import ROOT

PAGE = ROOT / "docs" / "triggers.md"
BLOCK = re.compile(r"^```json\n(.*?)^```", re.DOTALL | re.MULTILINE)
RESOLVED = Resolved()
BUS, TABLE = RESOLVED.ref("EventBus"), RESOLVED.ref("EventsTable")
TENANT, ANOTHER = "ten_0123456789abcdef", "ten_fedcba9876543210"
# What the page calls things of a stack named `postrider`.
NAMES = {
    "event-bus/postrider": f"event-bus/{BUS}",
    "rule/postrider/": f"rule/{BUS}/",
    "function:postrider-events": f"function:{RESOLVED.name('EventsFunction')}",
    "table/postrider-EventsTable-EXAMPLE": f"table/{TABLE}",
}


def statements() -> dict[str, dict]:
    """By their names."""
    found: dict[str, dict] = {}
    for block in BLOCK.findall(PAGE.read_text()):
        if '"Statement"' in block:
            policy = json.loads(functools.reduce(lambda text, name: text.replace(*name), NAMES.items(), block))
            assert policy["Version"] == "2012-10-17", "conditions of a later kind hold in it alone"
            found |= {statement["Sid"]: statement for statement in policy["Statement"]}
    return found


def put_event(detail_type: str, source: str, bus: str = BUS) -> tuple[str, str, dict]:
    entry = {"EventBusName": bus, "Source": source, "DetailType": detail_type, "Detail": "{}"}
    return "events", "PutEvents", {"Entries": [entry]}


def row(tenant: str, more: dict) -> dict:
    texts = {"tenant_id": tenant, "id": "evt_1", "event": "invoice.paid", "data": "{}", "timestamp": "2026-01-15T14:30:00Z"}
    return {name: {"S": text} for name, text in texts.items()} | {"expires_at": {"N": str(int(time.time()))}} | more


def put_row(tenant: str = TENANT, more: dict | None = None) -> tuple[str, str, dict]:
    put = {"TableName": TABLE, "Item": row(tenant, more or {}), "ConditionExpression": "attribute_not_exists(id)"}
    return "dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": put}]}


class Statements(unittest.TestCase):
    """Of whoever holds one, and nothing else."""

    def setUp(self):
        self.statements = statements()
        self.needs = Needs(Judge(RESOLVED).tables)

    def may(self, sid: str, *needs: Need) -> bool:
        rights = list(rights_in("Holder", self.statements[sid]))
        return all(any(right.covers(need) for right in rights) for need in needs)

    def may_call(self, sid: str, service: str, operation: str, request: dict) -> bool:
        return self.may(sid, *self.needs.of(service, operation, request))

    def test_there_is_one_for_each_way_and_none_is_untested(self):
        told = {
            "PublishOverTheBus",
            "ReportOverTheBus",
            "PublishByInvocation",
            "PutEventsOfTheseTenants",
            "PutEventsOfAllTenants",
            "TakeJobsFromTheQueue",
            "NoticesIntoTheQueue",
            "TakeNoticesFromTheQueue",
        }
        self.assertEqual(set(self.statements), told)

    def test_whoever_publishes_over_the_bus_may_put_nothing_else_there(self):
        named = facts()["detail_types"]
        for sid, own, source in (("PublishOverTheBus", "event", "billing"), ("ReportOverTheBus", "job", "video-worker")):
            with self.subTest(sid):
                self.assertTrue(self.may_call(sid, *put_event(named[own], source)))
                for detail_type in [named[name] for name in named if name != own] + ["Postrider event", ""]:
                    self.assertFalse(self.may_call(sid, *put_event(detail_type, source)), detail_type)
                for other in ("postrider", "aws.ec2", "another"):
                    self.assertFalse(self.may_call(sid, *put_event(named[own], other)), f"it speaks as {other}")
                self.assertFalse(self.may_call(sid, *put_event(named[own], source, "default")))
                bus = RESOLVED.arn("EventBus")
                self.assertFalse(self.may(sid, Need("events:PutRule", bus)), "it would hear what others publish")
                self.assertFalse(self.may(sid, Need("events:PutEvents", bus)), "a call that does not say of which type")

    def test_whoever_invokes_may_invoke_this_function_and_not_change_it(self):
        sid, events = "PublishByInvocation", RESOLVED.arn("EventsFunction")
        self.assertTrue(self.may(sid, Need("lambda:InvokeFunction", events)))
        for function in RESOLVED.of_type("AWS::Lambda::Function"):
            if function != "EventsFunction":
                self.assertFalse(self.may(sid, Need("lambda:InvokeFunction", RESOLVED.arn(function))), function)
        for action in ("UpdateFunctionCode", "GetFunction", "InvokeFunctionUrl", "AddPermission"):
            self.assertFalse(self.may(sid, Need(f"lambda:{action}", events)), action)

    def test_a_producers_row_is_put_and_no_other(self):
        for sid in ("PutEventsOfTheseTenants", "PutEventsOfAllTenants"):
            with self.subTest(sid):
                self.assertTrue(self.may_call(sid, *put_row()))
                self.assertTrue(self.may_call(sid, *put_row(more={"tags": {"M": {}}})))
                for own in ("ours", "counted", "job_id", "test_of", "announce", "refused"):
                    self.assertFalse(self.may_call(sid, *put_row(more={own: {"S": "x"}})), f"`{own}` tells our rows from others")
                for table in ("ConfigTable", "DeliveriesTable", "JobsTable"):
                    need = Need("dynamodb:PutItem", RESOLVED.arn(table), (("dynamodb:LeadingKeys", (TENANT,)),))
                    self.assertFalse(self.may(sid, need), table)
                (need,) = self.needs.of(*put_row())
                for action in ("GetItem", "Query", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert"):
                    self.assertFalse(self.may(sid, Need(f"dynamodb:{action}", need.resource, need.keys)), action)
                self.assertFalse(self.may(sid, Need(need.action, need.resource)), "a call of which nobody knows what it writes")

    def test_rows_of_other_tenants_are_for_whoever_has_all(self):
        self.assertFalse(self.may_call("PutEventsOfTheseTenants", *put_row(tenant=ANOTHER)))
        self.assertTrue(self.may_call("PutEventsOfAllTenants", *put_row(tenant=ANOTHER)))

    def test_whoever_reads_a_queue_may_take_from_it_and_not_send(self):
        for sid, queue in (("TakeJobsFromTheQueue", "video-worker"), ("TakeNoticesFromTheQueue", "webhook-notices")):
            its = arn("sqs", queue)
            with self.subTest(sid):
                # What Lambda needs of a function that is fed from it, too.
                needed = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
                self.assertTrue(self.may(sid, *(Need(f"sqs:{action}", its) for action in needed)))
                for action in ("SendMessage", "PurgeQueue", "SetQueueAttributes"):
                    self.assertFalse(self.may(sid, Need(f"sqs:{action}", its)), action)
                for ours in ("TriggersQueue", "QuarantineQueue", "DeliverQueue"):
                    self.assertFalse(self.may(sid, Need("sqs:ReceiveMessage", RESOLVED.arn(ours))), ours)

    def test_only_its_own_rule_may_send_notices_into_the_queue(self):
        statement = self.statements["NoticesIntoTheQueue"]
        self.assertEqual(statement["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual((statement["Effect"], statement["Action"]), ("Allow", "sqs:SendMessage"))
        self.assertEqual(statement["Resource"], arn("sqs", "webhook-notices"))
        for rule in (f"{BUS}/webhook-notices", f"{BUS}/another", "webhook-notices", "another-bus/webhook-notices"):
            may_send = holds(statement["Condition"], {"aws:SourceArn": [arn("events", f"rule/{rule}")]})
            self.assertEqual(may_send, rule == f"{BUS}/webhook-notices", rule)
        self.assertFalse(holds(statement["Condition"], {}), "anybody could have EventBridge send")

    def test_a_wider_statement_would_not_pass(self):
        wider = {sid: statement | {"Resource": "*"} for sid, statement in self.statements.items()}
        self.statements = wider
        self.assertTrue(self.may("PublishByInvocation", Need("lambda:InvokeFunction", RESOLVED.arn("SweepFunction"))))
        del wider["PublishOverTheBus"]["Condition"]
        self.assertTrue(self.may_call("PublishOverTheBus", *put_event("Postrider Job", "anybody")))


class Patterns(unittest.TestCase):
    def test_rules_ask_for_what_postrider_puts_on_the_bus(self):
        text, named = PAGE.read_text(), facts()["detail_types"]
        for announced in ("job_created", "notice"):
            self.assertIn(f"detail-type: [{named[announced]}]", text)
        asked_for = set(re.findall(r"webhook\.[a-z_]+", text))
        self.assertLessEqual(asked_for, set(facts()["own_events"]), "a rule for what nobody tells")


if __name__ == "__main__":
    unittest.main()
