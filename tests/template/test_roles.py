"""Who may do what: a flaw in one function must not open what another one guards."""

import unittest

from pages import table
from template import FUNCTIONS, Template, as_list, strings

# The only places where a name is not known beforehand: the schedules in the stack's own group, a
# table's streams, an API's routes, and a function's versions and aliases.
WILDCARDS = ("schedule/${ScheduleGroup}/*", "${EventsTable.Arn}/stream/*", "${Api}/*", "Function.Arn}:*")
# What an operator may choose, and what then is allowed in addition.
CHOICES = ("HasOwnKey", "IsInVpc", "EventsAreTraced", "DeploysGradually")
# What AWS lets nobody name a resource for: interfaces in an operator's network, X-Ray's segments, a list of alarms.
NAMELESS = ("ec2:", "xray:Put", "cloudwatch:DescribeAlarms")
# They may write their logs.
NO_RIGHTS = ("reference", "portal")


def names_no_resource(statement: dict) -> bool:
    return all(action.startswith(NAMELESS) for action in as_list(statement["Action"]))


class Roles(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.roles = self.template.of_type("AWS::IAM::Role")

    def test_each_function_has_a_role_of_its_own(self):
        roles = {name: str(self.template.function(name)["Role"]) for name in FUNCTIONS}
        self.assertEqual(len(set(roles.values())), len(FUNCTIONS), "two functions share a role, and so each other's rights")

    def test_no_resource_is_a_wildcard(self):
        for role in self.roles:
            for statement in self.template.statements(role, *CHOICES):
                if names_no_resource(statement):
                    continue
                for resource in strings(statement["Resource"]):
                    with self.subTest(role=role, resource=resource):
                        self.assertTrue(
                            "*" not in resource or resource.endswith(WILDCARDS),
                            "a wildcard reaches what is not this stack's",
                        )

    def test_no_action_is_a_wildcard(self):
        for role in self.roles:
            for statement in self.template.statements(role, *CHOICES):
                for action in as_list(statement["Action"]):
                    with self.subTest(role=role):
                        self.assertNotIn("*", action, "what a new AWS action may do, nobody has decided")

    def test_nobody_may_scan(self):
        for role in self.roles:
            for statement in self.template.statements(role):
                for action in as_list(statement["Action"]):
                    with self.subTest(role=role):
                        self.assertNotIn("Scan", action, "a scan reads every tenant's rows and costs the whole table")

    def test_no_managed_policy_adds_rights(self):
        for role in self.roles:
            with self.subTest(role=role):
                self.assertNotIn("ManagedPolicyArns", self.template.properties(role), "AWS widens its policies at will")
        for name in FUNCTIONS:
            with self.subTest(function=name):
                self.assertNotIn("Policies", self.template.function(name), "with Policies, SAM would make a second role")

    def test_a_role_is_taken_by_the_one_service_that_it_is_for(self):
        others = {"SchedulerRole": "scheduler", "DeploymentsRole": "codedeploy"}
        for role in self.roles:
            for statement in self.template.properties(role)["AssumeRolePolicyDocument"]["Statement"]:
                with self.subTest(role=role):
                    service = others.get(role, "lambda")
                    self.assertEqual(statement["Principal"], {"Service": f"{service}.amazonaws.com"})

    def test_only_schedules_of_this_stack_may_take_the_schedulers_role(self):
        (statement,) = self.template.properties("SchedulerRole")["AssumeRolePolicyDocument"]["Statement"]
        own = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}, "aws:SourceArn": {"Fn::GetAtt": ["ScheduleGroup", "Arn"]}}
        self.assertEqual(statement["Condition"], {"StringEquals": own}, "another's schedule could send to our queues")

    def test_what_serves_pages_may_do_nothing_but_log(self):
        """The document is everybody's, and the portal calls the API with its visitors' own sessions."""
        for name in NO_RIGHTS:
            with self.subTest(function=name):
                statements = self.template.statements(f"{name.capitalize()}Role", *CHOICES)
                allowed = [as_list(s["Action"]) for s in statements]
                self.assertEqual(allowed, [["logs:CreateLogStream", "logs:PutLogEvents"]], "everybody may call it")

    def test_an_operators_key_is_used_through_dynamodb_and_secrets_manager_alone(self):
        readers = {"webhooks", "tenants", "catalogue", "deliver"}
        for name in FUNCTIONS:
            if name in NO_RIGHTS:
                continue
            with self.subTest(function=name):
                role = f"{name.capitalize()}Role"
                self.assertFalse([s for s in self.template.statements(role) if "kms" in str(s)], "there is no key")
                with_key = [s for s in self.template.statements(role, "HasOwnKey") if "kms" in str(s)]
                self.assertEqual([s["Resource"] for s in with_key], [{"Ref": "KmsKeyArn"}] * len(with_key))
                through = {
                    s["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Sub"].split(".")[0]: as_list(s["Action"])
                    for s in with_key
                }
                reads_secrets = {"secretsmanager"} if name in readers else set()
                self.assertEqual(set(through), {"dynamodb"} | reads_secrets, "who reads no secret has no use for their key")
                self.assertIn(through.get("secretsmanager"), (None, ["kms:Decrypt"]), "nobody writes a secret")

    def test_in_a_network_lambda_makes_interfaces_and_the_program_does_not(self):
        for name in FUNCTIONS:
            with self.subTest(function=name):
                role = f"{name.capitalize()}Role"
                self.assertFalse([s for s in self.template.statements(role) if "ec2" in str(s)])
                inside = "VpcConfig" in self.template.function(name)
                found = [s for s in self.template.statements(role, "IsInVpc") if "ec2" in str(s)]
                self.assertEqual([s["Effect"] for s in found], ["Allow", "Deny"] if inside else [])
                if found:
                    allowed, denied = found
                    self.assertEqual(allowed["Action"], denied["Action"])
                    itself = f"function:${{AWS::StackName}}-{name}"
                    self.assertTrue(denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]["Fn::Sub"].endswith(itself))

    def test_the_scheduler_may_only_send_to_two_queues(self):
        statements = self.template.statements("SchedulerRole")
        self.assertEqual(len(statements), 1)
        self.assertEqual(statements[0]["Action"], "sqs:SendMessage")
        queues = [{"Fn::GetAtt": ["RetryQueue", "Arn"]}, {"Fn::GetAtt": ["DeadQueue", "Arn"]}]
        self.assertEqual(statements[0]["Resource"], queues, "a schedule could send anywhere")

    def test_the_schedulers_role_can_be_passed_to_the_scheduler_alone(self):
        for role in self.roles:
            for statement in self.template.statements(role):
                if "iam:PassRole" in as_list(statement["Action"]):
                    with self.subTest(role=role):
                        self.assertEqual(statement["Resource"], {"Fn::GetAtt": ["SchedulerRole", "Arn"]})
                        passed_to = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
                        self.assertEqual(statement["Condition"], passed_to, "the role could be given to anything")

    def test_whoever_makes_schedules_may_pass_the_role(self):
        makers = {
            role
            for role in self.roles
            for s in self.template.statements(role)
            if "scheduler:CreateSchedule" in as_list(s["Action"])
        }
        passers = self.template.roles_that_may("iam:PassRole", {"Fn::GetAtt": ["SchedulerRole", "Arn"]})
        self.assertEqual(makers, passers, "CreateSchedule is refused without PassRole, and PassRole is idle without it")

    def test_only_the_operators_side_reads_the_admin_key(self):
        readers = self.template.roles_that_may("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["AdminKey", "Id"]})
        self.assertEqual(readers, {"TenantsRole", "CatalogueRole"}, "whoever reads the admin key owns every tenant")

    def test_what_only_shows_the_ledger_cannot_read_signing_secrets(self):
        readers = self.template.roles_that_may("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["EncryptionKey", "Id"]})
        roles = set(self.template.of_type("AWS::IAM::Role"))
        for role in ("EventsRole", "LedgerRole", "FanoutRole"):
            self.assertIn(role, roles - readers, "it has no use for customers' signing secrets")

    def test_the_page_says_of_each_function_what_it_may_touch(self):
        self.assertEqual(set(table("ARCHITECTURE.md", "Who may touch what")), set(FUNCTIONS))

    def test_the_deployments_secret_is_read_by_what_signs_alone(self):
        readers = self.template.roles_that_may("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["WebhookSigningSecret", "Id"]})
        self.assertEqual(readers, {"DeliverRole"}, "whoever reads it can sign as this deployment, for every tenant")

    def test_jobs_has_no_right_that_it_does_not_use(self):
        table = {name: {"Fn::GetAtt": [f"{name}Table", "Arn"]} for name in ("Config", "Events", "Jobs")}
        expected = {
            "dynamodb:GetItem": [table["Config"], table["Jobs"]],
            "dynamodb:PutItem": [table["Jobs"], table["Events"]],
            "dynamodb:Query": [{"Fn::Sub": "${JobsTable.Arn}/index/listed"}],
            "sqs:SendMessage": [{"Fn::GetAtt": ["TriggersQueue", "Arn"]}],
            "logs:CreateLogStream": [{"Fn::GetAtt": ["JobsLog", "Arn"]}],
            "logs:PutLogEvents": [{"Fn::GetAtt": ["JobsLog", "Arn"]}],
        }
        found: dict[str, list] = {}
        for statement in self.template.statements("JobsRole"):
            for action in as_list(statement["Action"]):
                found.setdefault(action, []).extend(as_list(statement["Resource"]))
        self.assertEqual(found, expected)

    def test_who_moves_attempts_can_put_over_no_delivery(self):
        deliveries = {"Fn::GetAtt": ["DeliveriesTable", "Arn"]}
        writers = self.template.roles_that_may("dynamodb:PutItem", deliveries)
        self.assertEqual(writers, {"DeliverRole", "SweepRole", "LedgerRole"}, "fan-out inserts, where there is none")
        moved = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["dlv_*"]}}
        for role in writers:
            for statement in self.template.statements(role):
                if "dynamodb:PutItem" in as_list(statement["Action"]) and deliveries in as_list(statement["Resource"]):
                    with self.subTest(role=role):
                        self.assertEqual(statement["Condition"], moved, "it could put over any delivery")

    def test_each_index_is_read_by_whose_it_is(self):
        readers = {
            "DeliveriesTable": {
                "due": {"SweepRole"},
                "undelivered": {"LedgerRole", "TenantsRole", "SweepRole"},
                "parked": {"DeliverRole", "SweepRole"},
            },
            "JobsTable": {"listed": {"JobsRole", "SweepRole"}},
        }
        for name, indexes in readers.items():
            found = {i["IndexName"] for i in self.template.properties(name)["GlobalSecondaryIndexes"]}
            self.assertEqual(found, set(indexes), name)
            for index, roles in indexes.items():
                arn = {"Fn::Sub": f"${{{name}.Arn}}/index/{index}"}
                self.assertEqual(self.template.roles_that_may("dynamodb:Query", arn), roles, index)

    def test_who_may_write_event_rows_is_who_takes_events_in(self):
        writers = self.template.roles_that_may("dynamodb:PutItem", {"Fn::GetAtt": ["EventsTable", "Arn"]})
        tellers = {"DeliverRole", "SweepRole", "WebhooksRole"}
        self.assertEqual(writers, {"EventsRole", "JobsRole"} | tellers, "a row there is an event, for any tenant")

    def test_deliver_lists_nothing_of_the_configuration(self):
        readers = self.template.roles_that_may("dynamodb:Query", {"Fn::GetAtt": ["ConfigTable", "Arn"]})
        self.assertNotIn("DeliverRole", readers, "it could list keys")

    def test_the_catalogue_writes_event_types_and_nothing_else_and_lists_nothing_else(self):
        config = {"Fn::GetAtt": ["ConfigTable", "Arn"]}
        keys: dict[str, list] = {}
        for statement in self.template.statements("CatalogueRole"):
            if config in as_list(statement["Resource"]):
                for action in as_list(statement["Action"]):
                    keys[action] = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        read = ["KEY#*", "SESSION#*", "TENANT#*", "EVENT_TYPES", "CALLS#*"]
        self.assertEqual(keys.pop("dynamodb:GetItem"), read, "whose a key or a session is, the types, and what was answered")
        self.assertEqual(keys.pop("dynamodb:Query"), ["EVENT_TYPES"])
        own = [f"dynamodb:{name}" for name in ("PutItem", "UpdateItem")]
        self.assertEqual(keys, {action: ["EVENT_TYPES", "CALLS#*"] for action in own}, "it could give itself keys")

    def test_only_fanout_notes_in_an_event_row_why_it_is_none_and_the_ledger_removes_what_it_says(self):
        changers = self.template.roles_that_may("dynamodb:UpdateItem", {"Fn::GetAtt": ["EventsTable", "Arn"]})
        self.assertEqual(changers, {"FanoutRole", "LedgerRole"}, "an event is put once, and its row is changed by nobody else")

    def test_only_fanout_puts_on_the_bus_and_on_this_one(self):
        bus = {"Fn::GetAtt": ["EventBus", "Arn"]}
        for role in self.roles:
            for statement in self.template.statements(role):
                if "events:PutEvents" in as_list(statement["Action"]):
                    self.assertEqual((role, statement["Resource"]), ("FanoutRole", bus))
        self.assertEqual(self.template.roles_that_may("events:PutEvents", bus), {"FanoutRole"})

    def test_each_function_writes_its_own_log_only(self):
        for name in FUNCTIONS:
            with self.subTest(function=name):
                log = {"Fn::GetAtt": [f"{name.capitalize()}Log", "Arn"]}
                writers = self.template.roles_that_may("logs:PutLogEvents", log)
                self.assertEqual(writers, {f"{name.capitalize()}Role"}, "without it a function is mute; with more it could forge")


if __name__ == "__main__":
    unittest.main()
