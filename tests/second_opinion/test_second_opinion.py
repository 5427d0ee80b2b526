"""What the second opinion must not let pass: each test breaks one thing, by hand, that a call or the template may have wrong."""

import asyncio
import contextlib
import dataclasses
import datetime
import io
import json
import sys
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cfnlint.helpers import load_resource

import schedules
import second_opinion
from aws_itself import AwsItself
from checkpoint import Caller, Checkpoint, Spoilt
from expressions import RESERVED
from http1 import Message
from judge import Call, Judge
from needs import Needs
from resolved import Resolved
from rights import Need, Right, Unknown, holds, rights_in, rights_of
from run_dir import ROOT
from signature import Signature
from step import Failed
from world import World

RESOLVED = Resolved()
CONFIG, DELIVERIES = RESOLVED.ref("ConfigTable"), RESOLVED.ref("DeliveriesTable")
TENANT = {"S": "TENANT#ten_0"}


def s(text):
    return {"S": text}


def delivery_row(**more):
    return {"endpoint_id": s("wh_0"), "id": s("dlv_0"), "status": s("pending")} | more


def update(**more):
    """An update of a tenant's row, as deliver makes them."""
    told = {
        "TableName": CONFIG,
        "Key": {"pk": TENANT, "sk": s("SLOW")},
        "UpdateExpression": "SET #who = :until, expires_at = :until",
        "ExpressionAttributeNames": {"#who": "wh_0"},
        "ExpressionAttributeValues": {":until": {"N": "7"}},
    }
    return {name: value for name, value in (told | more).items() if value is not None}


def schedule(**more):
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    target = {
        "Arn": RESOLVED.arn("RetryQueue"),
        "RoleArn": RESOLVED.arn("SchedulerRole"),
        "Input": "{}",
        "DeadLetterConfig": {"Arn": RESOLVED.arn("DeadQueue")},
    }
    told = {
        "Name": "dlv_0-2",
        "GroupName": RESOLVED.ref("ScheduleGroup"),
        "ScheduleExpression": f"at({at:%Y-%m-%dT%H:%M:%S})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }
    return told | more


class Broken(unittest.TestCase):
    def setUp(self):
        self.judge = Judge(RESOLVED)

    def wrong(self, service, operation, request, caller="DeliverRole"):
        return "; ".join(self.judge.judge(Call(caller, service, operation, request)))

    def assert_good(self, *call, **more):
        self.assertEqual(self.wrong(*call, **more), "")

    def assert_wrong(self, part, *call, **more):
        self.assertIn(part, self.wrong(*call, **more))


class Members(Broken):
    def test_a_member_that_is_misspelled_is_found(self):
        self.assert_good("dynamodb", "UpdateItem", update())
        misspelled = update(ExpressionAttributeValue=update()["ExpressionAttributeValues"])
        self.assert_wrong("has no member ExpressionAttributeValue", "dynamodb", "UpdateItem", misspelled)

    def test_a_member_that_is_missing_is_found_and_so_is_one_of_another_type(self):
        self.assert_wrong("Key is required", "dynamodb", "UpdateItem", update(Key=None))
        self.assert_wrong("a text is wanted", "dynamodb", "UpdateItem", update(TableName=7))
        self.assert_wrong("true or false", "dynamodb", "GetItem", {"TableName": CONFIG, "Key": {}, "ConsistentRead": "yes"})

    def test_an_enum_a_pattern_and_a_length_are_kept_to(self):
        self.assert_wrong("is none of", "dynamodb", "UpdateItem", update(ReturnValues="NEW"))
        self.assert_good("scheduler", "CreateSchedule", schedule())
        self.assert_wrong("where the max is 64", "scheduler", "CreateSchedule", schedule(Name="d" * 65))
        self.assert_wrong("is not as", "scheduler", "CreateSchedule", schedule(Name="a name"))


class Limits(Broken):
    def send(self, entries):
        return {"QueueUrl": RESOLVED.ref("RetryQueue"), "Entries": entries}

    def test_a_batch_of_messages_has_ten_at_the_most_and_a_mebibyte(self):
        entries = [{"Id": str(number), "MessageBody": "-"} for number in range(11)]
        self.assert_good("sqs", "SendMessageBatch", self.send(entries[:10]))
        self.assert_wrong("11 entries", "sqs", "SendMessageBatch", self.send(entries))
        large = [entry | {"MessageBody": "x" * 150_000} for entry in entries[:10]]
        self.assert_wrong("1500000 bytes", "sqs", "SendMessageBatch", self.send(large))

    def test_a_message_has_its_limits(self):
        for part, more in (
            ("a delay of 901 s", {"DelaySeconds": 901}),
            ("does not take", {"MessageBody": "\u0000"}),
            ("the group", {"MessageGroupId": "two words"}),
            ("two entries have one id", {"Id": "1"}),
        ):
            with self.subTest(part):
                entries = [{"Id": "0", "MessageBody": "-"} | more, {"Id": "1", "MessageBody": "-"}]
                self.assert_wrong(part, "sqs", "SendMessageBatch", self.send(entries))

    def test_an_item_has_400_kibibytes_at_the_most(self):
        item = {"tenant_id": s("ten_0"), "id": s("evt_0")}
        put = {"TableName": RESOLVED.ref("EventsTable"), "Item": item}
        self.assert_good("dynamodb", "PutItem", put)
        item["data"] = s("x" * 410_000)
        self.assert_wrong("409600 are the most", "dynamodb", "PutItem", put)

    def test_a_transaction_touches_each_item_once(self):
        one = {"Update": update()}
        self.assert_good("dynamodb", "TransactWriteItems", {"TransactItems": [one]})
        self.assert_wrong("twice", "dynamodb", "TransactWriteItems", {"TransactItems": [one, one]})

    def test_a_batch_of_reads_names_a_hundred_keys_and_each_once(self):
        keys = [{"pk": TENANT, "sk": s(str(number))} for number in range(101)]
        self.assert_good("dynamodb", "BatchGetItem", {"RequestItems": {CONFIG: {"Keys": keys[:100]}}})
        # That of one table the model knows; that of all together it does not.
        over = {"RequestItems": {CONFIG: {"Keys": keys[:60]}, DELIVERIES: {"Keys": [delivery_key(n) for n in range(60)]}}}
        self.assert_wrong("120 items", "dynamodb", "BatchGetItem", over)
        double = {"RequestItems": {CONFIG: {"Keys": [keys[0], keys[0]]}}}
        self.assert_wrong("twice", "dynamodb", "BatchGetItem", double)

    def test_a_schedules_time_is_to_come(self):
        self.assert_wrong("has passed", "scheduler", "CreateSchedule", schedule(ScheduleExpression="at(2026-01-15T12:00:00)"))
        at = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
        self.assertEqual(list(schedules.complaints({"ScheduleExpression": "at(2026-01-15T12:00:01)"}, at)), [])

    def test_a_key_is_whole_and_typed_and_not_empty(self):
        self.assert_wrong("the key has", "dynamodb", "UpdateItem", update(Key={"pk": TENANT}))
        self.assert_wrong("of type N", "dynamodb", "UpdateItem", update(Key={"pk": {"N": "1"}, "sk": s("SLOW")}))
        self.assert_wrong("0 bytes", "dynamodb", "UpdateItem", update(Key={"pk": TENANT, "sk": s("")}))

    def test_an_indexs_attribute_is_typed_too(self):
        row = delivery_row(due_shard={"N": "7"}, due_at=s("2026"))
        names = ", ".join(f"'{name}': ?" for name in row)
        statement = {"Statement": f'INSERT INTO "{DELIVERIES}" VALUE {{{names}}}', "Parameters": list(row.values())}
        self.assert_wrong(
            "due_shard is of type N", "dynamodb", "BatchExecuteStatement", {"Statements": [statement]}, caller="FanoutRole"
        )


def delivery_key(number):
    return {"endpoint_id": s("wh_0"), "id": s(f"dlv_{number}")}


class Expressions(Broken):
    def test_a_reserved_word_is_found_in_each_kind_of_expression(self):
        self.assertIn("STATUS", RESERVED)
        for expression in ("SET status = :until", "SET #who = :until REMOVE status", "SET #who.status = :until"):
            with self.subTest(expression):
                self.assert_wrong("status is a reserved word", "dynamodb", "UpdateItem", update(UpdateExpression=expression))
        condition = update(ConditionExpression="attribute_exists(status)")
        self.assert_wrong("status is a reserved word", "dynamodb", "UpdateItem", condition)

    def test_a_placeholder_that_nothing_uses_is_found_and_one_that_nothing_defines(self):
        values = update()["ExpressionAttributeValues"]
        unused = update(ExpressionAttributeValues=values | {":idle": s("")})
        self.assert_wrong("defines :idle, which no expression uses", "dynamodb", "UpdateItem", unused)
        self.assert_wrong("uses :until, which", "dynamodb", "UpdateItem", update(ExpressionAttributeValues=None))
        self.assert_wrong("uses #who, which", "dynamodb", "UpdateItem", update(ExpressionAttributeNames=None))

    def test_paths_that_overlap_and_changes_of_a_key_are_found(self):
        twice = update(UpdateExpression="SET #who = :until REMOVE #who")
        self.assert_wrong("overlap", "dynamodb", "UpdateItem", twice)
        key = update(UpdateExpression="SET #who = :until, sk = :until")
        self.assert_wrong("changes sk", "dynamodb", "UpdateItem", key)

    def test_an_expression_has_four_kibibytes_at_the_most(self):
        long = "SET #who = :until, " + ", ".join(f"a{number} = :until" for number in range(400))
        self.assert_wrong("4096 are the most", "dynamodb", "UpdateItem", update(UpdateExpression=long))

    def test_a_query_filters_by_no_key_and_reads_no_index_consistently(self):
        asked = {
            "TableName": DELIVERIES,
            "IndexName": "parked",
            "KeyConditionExpression": "endpoint_id = :id",
            "ExpressionAttributeValues": {":id": s("wh_0")},
        }
        self.assert_good("dynamodb", "Query", asked)
        self.assert_wrong("consistent", "dynamodb", "Query", asked | {"ConsistentRead": True})
        self.assert_wrong("filters by waits_until", "dynamodb", "Query", asked | {"FilterExpression": "waits_until = :id"})


class Roles(Broken):
    def test_a_right_that_is_taken_from_a_role_is_missed(self):
        self.assert_good("dynamodb", "UpdateItem", update())
        for right in [right for right in self.judge.needed if right.role == "DeliverRole"]:
            self.judge.rights.remove(right)
        self.assert_wrong("DeliverRole does not allow dynamodb:UpdateItem", "dynamodb", "UpdateItem", update())

    def test_what_a_condition_forbids_is_forbidden(self):
        self.assert_wrong("does not allow", "dynamodb", "UpdateItem", update(Key={"pk": s("KEY#0"), "sk": s("SLOW")}))
        put = {"TableName": DELIVERIES, "Item": delivery_row()}
        self.assert_wrong("does not allow dynamodb:PutItem", "dynamodb", "PutItem", put)
        self.assert_good("dynamodb", "PutItem", {"TableName": DELIVERIES, "Item": delivery_row(endpoint_id=s("dlv_0"))})

    def test_each_item_of_a_transaction_needs_its_own_right(self):
        delete = {"Delete": {"TableName": CONFIG, "Key": {"pk": s("PARKED"), "sk": s("-")}}}
        self.assert_wrong(
            "dynamodb:DeleteItem", "dynamodb", "TransactWriteItems", {"TransactItems": [{"Update": update()}, delete]}
        )
        check = {"ConditionCheck": delete["Delete"] | {"ConditionExpression": "attribute_exists(pk)"}}
        self.assert_wrong("dynamodb:ConditionCheckItem", "dynamodb", "TransactWriteItems", {"TransactItems": [check]})

    def test_an_index_and_another_table_are_other_resources(self):
        asked = {
            "TableName": DELIVERIES,
            "IndexName": "due",
            "KeyConditionExpression": "due_shard = :shard",
            "ExpressionAttributeValues": {":shard": s("07")},
        }
        self.assert_wrong("index/due", "dynamodb", "Query", asked)
        self.assert_good("dynamodb", "Query", asked, caller="SweepRole")

    def test_a_schedule_needs_its_group_and_the_role_that_it_is_given(self):
        self.assert_wrong("schedule/default/", "scheduler", "CreateSchedule", schedule(GroupName="default"))
        target = schedule()["Target"] | {"RoleArn": RESOLVED.arn("DeliverRole")}
        self.assert_wrong("iam:PassRole", "scheduler", "CreateSchedule", schedule(Target=target))

    def test_a_stranger_and_a_call_that_nobody_knows_are_refused(self):
        self.assert_wrong("nobody knows who calls", "dynamodb", "UpdateItem", update(), caller=None)
        self.assert_wrong("it cannot be told", "dynamodb", "Scan", {"TableName": CONFIG})
        self.assert_wrong("it cannot be told", "sqs", "PurgeQueue", {"QueueUrl": RESOLVED.ref("DeadQueue")})

    def test_an_index_that_is_not_there_is_told_of_and_ends_nothing(self):
        asked = {
            "TableName": DELIVERIES,
            "IndexName": "renamed",
            "KeyConditionExpression": "due_shard = :shard",
            "ExpressionAttributeValues": {":shard": s("07")},
        }
        self.assert_wrong("has no index renamed", "dynamodb", "Query", asked, caller="SweepRole")
        self.assertTrue(any("SweepRole, dynamodb:Query: Query: " in one for one in self.judge.broken), self.judge.broken)

    def test_what_a_call_has_wrong_is_on_record_although_its_needs_cannot_be_told(self):
        with mock.patch.object(self.judge, "_forbidden", side_effect=RuntimeError), self.assertRaises(RuntimeError):
            self.wrong("dynamodb", "UpdateItem", update(TableName=7))
        self.assertTrue(any("a text is wanted" in one for one in self.judge.broken), self.judge.broken)

    def test_what_nobody_knows_of_iam_is_refused_and_not_passed_over(self):
        for condition in ({"DateLessThan": {"aws:SourceArn": "2026"}}, {"StringEquals": {"aws:PrincipalTag/x": "y"}}):
            with self.subTest(condition), self.assertRaises(Unknown):
                holds(condition, {})

    def test_a_key_that_does_not_come_with_a_call_fails_but_for_all_of_none(self):
        self.assertFalse(holds({"StringEquals": {"iam:PassedToService": "x"}}, {}))
        self.assertTrue(holds({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["x*"]}}, {}))
        self.assertFalse(
            holds({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["x*"]}}, {"dynamodb:LeadingKeys": ["xa", "ya"]})
        )

    def test_a_right_beside_which_another_allows_the_same_is_needed_by_nobody(self):
        wider = Right("DeliverRole", "dynamodb:UpdateItem", RESOLVED.arn("ConfigTable"))
        self.judge.rights.append(wider)
        self.assert_good("dynamodb", "UpdateItem", update())
        self.assertIn(wider, self.judge.unneeded())
        self.assertEqual(self.judge.needed, set())


class Production(unittest.TestCase):
    def test_what_holds_only_locally_is_no_right(self):
        emulators = {"sqs:SendMessageBatch", "sqs:ChangeMessageVisibilityBatch", "dynamodb:BatchExecuteStatement"}
        template = (ROOT / "template.yaml").read_text()
        for action in emulators:
            self.assertIn(action, template)
        self.assertEqual({right.action for right in rights_of(RESOLVED)} & emulators, set())

    def test_every_action_of_the_template_is_one_that_aws_has(self):
        known = load_resource("cfnlint.data.AdditionalSpecs", "Policies.json")
        for right in rights_of(RESOLVED):
            service, action = right.action.split(":")
            self.assertIn(action.lower(), known[service]["Actions"], right.action)

    def test_a_functions_settings_fit_and_name_what_there_is(self):
        for name, told in RESOLVED.of_type("AWS::Lambda::Function").items():
            settings = told["Environment"]["Variables"]
            self.assertLess(sum(len(key) + len(value) for key, value in settings.items()), 4096, name)
            self.assertEqual(settings["CONFIG_TABLE"], CONFIG)
            self.assertNotIn("OUTAGE_SECONDS", settings)

    def test_what_aws_does_by_our_roles_is_allowed_and_missed_when_it_is_not(self):
        judge, itself = Judge(RESOLVED), AwsItself(RESOLVED)
        self.assertEqual([told for role, need in itself.needs() for told in judge.demand(role, [need])], [])
        self.assertEqual(list(itself.refused()), [])
        for action in ("logs:PutLogEvents", "dynamodb:ListStreams", "sqs:GetQueueAttributes"):
            judge.rights = [right for right in rights_of(RESOLVED) if right.action != action]
            missed = [told for role, need in itself.needs() for told in judge.demand(role, [need])]
            self.assertTrue(any(action in told for told in missed), action)

    def test_a_schedule_needs_both_of_its_queues(self):
        judge, itself = Judge(RESOLVED), AwsItself(RESOLVED)
        needs = list(itself.scheduled(schedule()))
        self.assertEqual([told for role, need in needs for told in judge.demand(role, [need])], [])
        elsewhere = schedule()["Target"] | {"Arn": RESOLVED.arn("DeliverQueue")}
        (role, need), *_ = itself.scheduled(schedule(Target=elsewhere))
        self.assertEqual(len(judge.demand(role, [need])), 1)

    def test_needs_are_by_partition(self):
        needs = Needs(Judge(RESOLVED).tables)
        keys = {"Keys": [{"pk": s("b"), "sk": s("1")}, {"pk": s("a"), "sk": s("2")}]}
        (need,) = needs.of("dynamodb", "BatchGetItem", {"RequestItems": {CONFIG: keys}})
        expected = Need("dynamodb:BatchGetItem", RESOLVED.arn("ConfigTable"), (("dynamodb:LeadingKeys", ("a", "b")),))
        self.assertEqual(need, expected)


class Narrowed(Resolved):
    """The template, where the API may invoke functions by this source alone."""

    def __init__(self, source):
        self._source = source
        super().__init__()

    def properties(self, logical_id):
        told = super().properties(logical_id)
        if told.get("Principal") == "apigateway.amazonaws.com":
            return told | {"SourceArn": told["SourceArn"].removesuffix("*") + self._source}
        return told


class Invocations(unittest.TestCase):
    def test_the_api_may_invoke_a_function_by_each_method_and_path_of_its_routes(self):
        for source, route, methods in (
            ("*/GET/*", "ANY /v1/events", "POST, PATCH, PUT, DELETE"),
            ("$default/*/v1/events", "ANY /v1/events/{id}", "GET, POST, PATCH, PUT, DELETE"),
            ("another/*", "$default", "$default"),
        ):
            with self.subTest(source):
                refused = list(AwsItself(Narrowed(source)).refused())
                self.assertIn(f"the API may not invoke what {route} leads to, by {methods}", refused)

    def test_a_source_that_is_wide_enough_is_taken(self):
        self.assertEqual(list(AwsItself(Narrowed("$default/*")).refused()), [])


class Chosen(unittest.TestCase):
    """What an operator may add: a network, a key, a name. No story plays it, so it is only judged."""

    def setUp(self):
        key = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
        network = {"VpcSubnetIds": "subnet-0a1b2c3d,subnet-4e5f6a7b", "VpcSecurityGroupIds": "sg-0a1b2c3d"}
        name = {"ApiDomainName": "hooks.example.com", "ApiCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/0a"}
        self.resolved = Resolved(network | name | {"KmsKeyArn": key, "ApiAccessLog": "yes", "ApiDomainPath": "internal/hooks"})

    def test_every_resource_of_it_has_its_values(self):
        for name in self.resolved.named():
            self.assertNotIn("Fn::", json.dumps(self.resolved.properties(name)), name)
        self.assertLess(set(RESOLVED.named()), set(self.resolved.named()))

    def test_what_aws_does_with_it_is_allowed_and_nothing_else_is_given(self):
        judge, itself = Judge(self.resolved), AwsItself(self.resolved)
        self.assertEqual(
            [list(itself.refused()), [judge.demand(role, [need]) for role, need in itself.needs() if judge.demand(role, [need])]],
            [[], []],
        )
        added = {str(right) for right in judge.rights if right.action.split(":")[0] in ("ec2", "kms")}
        self.assertTrue(added)
        self.assertFalse(added & {str(right) for right in judge.unneeded()})

    def test_a_key_is_used_through_those_services_that_its_role_calls(self):
        readers = {"WebhooksRole", "TenantsRole", "CatalogueRole", "DeliverRole"}
        used: dict[tuple[str, str], set[str]] = {}
        for role, need in AwsItself(self.resolved).needs():
            if need.action.startswith("kms:"):
                ((_, (service,)),) = need.keys
                used.setdefault((role, service.split(".")[0]), set()).add(need.action)
        self.assertEqual({role for role, service in used if service == "secretsmanager"}, readers)
        self.assertEqual({frozenset(used[role, "secretsmanager"]) for role in readers}, {frozenset({"kms:Decrypt"})})
        callers = {right.role for right in rights_of(self.resolved) if right.action.startswith("dynamodb:")}
        self.assertEqual({role for role, service in used if service == "dynamodb"}, callers)

    def test_a_service_too_many_in_a_condition_is_a_right_that_nobody_needs(self):
        both = {"StringEquals": {"kms:ViaService": ["dynamodb.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com"]}}
        statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "k", "Condition": both}
        judge = Judge(self.resolved)
        judge.rights = list(rights_in("JobsRole", statement))
        need = Need("kms:Decrypt", "k", (("kms:ViaService", ("dynamodb.us-east-1.amazonaws.com",)),))
        self.assertEqual(judge.demand("JobsRole", [need]), [])
        (unneeded,) = judge.unneeded()
        self.assertIn("sqs.", unneeded.condition)

    def test_a_program_makes_no_network_interface_and_uses_no_key_but_through_its_services(self):
        judge, function = Judge(self.resolved), self.resolved.arn("DeliverFunction")
        by_itself = Need("ec2:CreateNetworkInterface", "*", (("lambda:SourceFunctionArn", (function,)),))
        self.assertIn("denies", judge.demand("DeliverRole", [by_itself])[0])
        self.assertEqual(judge.demand("DeliverRole", [Need("ec2:CreateNetworkInterface", "*")]), [])
        (key,) = {right.resource for right in judge.rights if right.action == "kms:Decrypt"}
        self.assertTrue(judge.demand("DeliverRole", [Need("kms:Decrypt", key)]), "straight from KMS")


class Signatures(unittest.TestCase):
    def signed(self, body, region="us-east-1"):
        headers = {"host": "127.0.0.1:1", "x-amz-target": "AmazonSQS.SendMessage"}
        request = AWSRequest("POST", "http://127.0.0.1:1/", headers=headers, data=body)
        SigV4Auth(Credentials("ASIA", "secret", "token"), "sqs", region).add_auth(request)
        return Message("POST / HTTP/1.1", {name.lower(): value for name, value in request.headers.items()}, body)

    def test_what_is_signed_by_who_it_is_said_to_be_is_taken_and_what_was_changed_is_not(self):
        signed = self.signed(b"{}")
        self.assertIsNone(Signature(signed).complaint("secret", "token"))
        self.assertIsNotNone(Signature(signed).complaint("another secret", "token"))
        self.assertIsNotNone(Signature(signed).complaint("secret", "another token"))
        changed = dataclasses.replace(signed, body=b"{ }")
        self.assertIsNotNone(Signature(changed).complaint("secret", "token"))
        with self.assertRaises(ValueError):
            Signature(dataclasses.replace(signed, headers={}))

    def test_a_call_that_is_signed_for_another_region_is_not_taken(self):
        self.assertIn("eu-west-1", Signature(self.signed(b"{}", "eu-west-1")).complaint("secret", "token") or "nothing")

    def test_what_cannot_be_judged_is_told_of_with_who_called_what(self):
        callers = {"ASIA": Caller("SweepRole", "secret", "token")}
        checkpoint = Checkpoint("http://127.0.0.1:1", Judge(RESOLVED), mock.Mock(), mock.Mock(), callers)
        with mock.patch.object(checkpoint.judge, "judge", side_effect=RuntimeError("unforeseen")):
            asyncio.run(checkpoint._handle(self.signed(b"{}")))
        self.assertEqual(checkpoint.failed, ["SweepRole, AmazonSQS.SendMessage: RuntimeError('unforeseen')"])


class Failures(unittest.TestCase):
    def test_a_function_that_answers_nothing_is_named_with_its_log(self):
        silent = mock.Mock(log=Path("/somewhere/a-function.log"), invoke=lambda _: None)
        functions: dict[str, Any] = dict.fromkeys(RESOLVED.of_type("AWS::Lambda::Function"), silent)
        world = World(RESOLVED, mock.Mock(), functions)
        for what, ask in (
            ("LedgerFunction", lambda: world.call("GET", "/v1/deliveries", {})),
            ("SweepFunction", world.sweep),
            ("DeliverFunction", lambda: world.serve_queue(RESOLVED.arn("DeliverQueue"), "DeliverFunction", [])),
        ):
            with self.subTest(what), self.assertRaisesRegex(Failed, f"{what} answers nothing; its log is {silent.log}"):
                ask()

    def test_whatever_ends_a_story_is_what_became_of_it(self):
        def play(_):
            raise KeyError("quotas")

        said = io.StringIO()
        stories = mock.patch.multiple(second_opinion, ORDINARY={"a story": play}, TROUBLES={})
        with stories, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            failed = second_opinion.played(mock.Mock(), "")
        self.assertEqual(str(failed), "the story 'a story': KeyError('quotas')")
        self.assertIn("in play", said.getvalue(), "nobody learns where")


class Spoiling(unittest.TestCase):
    def test_only_what_is_meant_is_spoilt_and_so_often(self):
        spoilt = Spoilt("DeliverRole", "PutItem", "wh_0", times=1)
        call = Call("DeliverRole", "dynamodb", "PutItem", {})
        self.assertFalse(spoilt.takes(call, json.dumps({"id": "wh_1"}).encode()))
        self.assertEqual([spoilt.takes(call, b"wh_0") for _ in range(2)], [True, False])


if __name__ == "__main__":
    unittest.main()
