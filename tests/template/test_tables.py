"""The tables and the stream: what the emulator ignores and AWS does not is asserted here."""

import json
import unittest

from constants import constants
from template import Template, on_aws

KEYS = {
    "ConfigTable": ("pk", "sk"),
    "EventsTable": ("tenant_id", "id"),
    "DeliveriesTable": ("endpoint_id", "id"),
    "JobsTable": ("id", None),
}
INDEXES = {
    "DeliveriesTable": {
        "due": ("due_shard", "due_at"),
        "undelivered": ("undelivered_tenant", "id"),
        "parked": ("endpoint_id", "waits_until"),
    },
    "JobsTable": {"listed": ("listed_tenant", "id")},
}
# Write units that DynamoDB lets a partition take a second.
A_PARTITION = 1_000
# The messages that one function of deliver is done with in a second, ten a batch: two calls of 5 ms, an answer after 50 ms, or
# after the two seconds that make an endpoint slow.
AT_THE_FASTEST, OF_SLOW_ONES = 10 / 0.06, 10 / 2
ON_AWS_ONLY = {"Fn::If": ["OnAws", True, False]}


def key(schema: list[dict]) -> tuple[str, str | None]:
    by_type = {part["KeyType"]: part["AttributeName"] for part in schema}
    return by_type["HASH"], by_type.get("RANGE")


class Tables(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.tables = {name: t["Properties"] for name, t in self.template.of_type("AWS::DynamoDB::Table").items()}

    def test_keys_are_what_the_stores_read_by(self):
        found = {name: key(table["KeySchema"]) for name, table in self.tables.items()}
        self.assertEqual(found, KEYS, "changing a key replaces the table, with all that is in it")

    def test_indexes_hold_keys_only(self):
        found = {name: t["GlobalSecondaryIndexes"] for name, t in self.tables.items() if "GlobalSecondaryIndexes" in t}
        self.assertEqual({n: {i["IndexName"]: key(i["KeySchema"]) for i in indexes} for n, indexes in found.items()}, INDEXES)
        for name, indexes in found.items():
            for index in indexes:
                self.assertEqual(
                    index["Projection"], {"ProjectionType": "KEYS_ONLY"}, f"{name}: every change would be written twice"
                )

    def test_indexes_take_what_deliver_writes_when_everything_fails(self):
        concurrency = {
            name: self.template.all["Parameters"][f"{name}Concurrency"]["Default"] for name in ("Deliver", "Retry", "Slow")
        }
        first, later = concurrency["Deliver"] * AT_THE_FASTEST, concurrency["Retry"] * AT_THE_FASTEST
        later += concurrency["Slow"] * OF_SLOW_ONES
        shards = {
            name: constants()[f"aws::deliveries_table::{name}::SHARDS"] for name in INDEXES["DeliveriesTable"] if name != "parked"
        }
        full = "it would have the whole table refuse what all tenants write"
        # A row takes its place with its first failure, and a retry gives it another one.
        self.assertGreater(shards["due"] * A_PARTITION, first + 2 * later, full)
        # It enters the list with its first failure, and a retry that succeeds takes it out.
        self.assertGreater(shards["undelivered"] * A_PARTITION, first + later, f"one tenant's failures: {full}")

    def test_rows_expire(self):
        for name, table in self.tables.items():
            ttl = {"AttributeName": "expires_at", "Enabled": True}
            self.assertEqual(table["TimeToLiveSpecification"], ttl, f"{name} would grow without bound")

    def test_tables_are_paid_by_use(self):
        for name, table in self.tables.items():
            self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST", f"{name} would cost while idle")

    def test_tables_can_be_brought_back(self):
        for name, table in self.tables.items():
            with self.subTest(table=name):
                backups = table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
                self.assertEqual(backups, ON_AWS_ONLY, "a bad deploy could not be undone")
                protected = {"Fn::If": ["TablesAreProtected", True, False]}
                self.assertEqual(table["DeletionProtectionEnabled"], protected, "one call could delete it")
        self.assertEqual(self.template.all["Parameters"]["TableProtection"]["Default"], "yes")

    def test_keys_that_are_billed_are_an_operators_choice(self):
        own = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKeyArn"}}
        for name, table in self.tables.items():
            with self.subTest(table=name):
                # Said, not left out: CloudFormation takes what is left out for no change.
                self.assertEqual(on_aws(table["SSESpecification"]), {"SSEEnabled": False}, "AWS owns that key, and bills nothing")
                self.assertEqual(on_aws(table["SSESpecification"], "HasOwnKey"), own)
        for name, secret in self.template.of_type("AWS::SecretsManager::Secret").items():
            with self.subTest(secret=name):
                self.assertNotIn("KmsKeyId", on_aws(secret["Properties"]))
                self.assertEqual(on_aws(secret["Properties"], "HasOwnKey")["KmsKeyId"], {"Ref": "KmsKeyArn"})

    def test_what_cannot_be_made_again_outlives_the_stack(self):
        for name in (*self.tables, "EncryptionKey", "WebhookSigningSecret"):
            resource = self.template.resources[name]
            self.assertEqual(resource["UpdateReplacePolicy"], "Retain", name)
            left = f"{name}: without -ExceptOnCreate a first deployment that fails leaves it behind, and what it costs"
            self.assertEqual(resource["DeletionPolicy"], "RetainExceptOnCreate", left)

    def test_only_events_have_a_stream(self):
        streams = {name for name, table in self.tables.items() if "StreamSpecification" in table}
        self.assertEqual(streams, {"EventsTable"}, "a stream elsewhere carries, and bills, what nobody needs")
        self.assertEqual(self.tables["EventsTable"]["StreamSpecification"]["StreamViewType"], "NEW_IMAGE")


class Stream(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.mapping = self.template.mappings("fanout")["FanoutFromEvents"]

    def test_fanout_reads_the_events_from_their_beginning(self):
        self.assertEqual(self.mapping["EventSourceArn"], {"Fn::GetAtt": ["EventsTable", "StreamArn"]})
        self.assertEqual(self.mapping["StartingPosition"], "TRIM_HORIZON", "LATEST can miss what comes during a deploy")

    def test_fanout_sees_new_events_only(self):
        patterns = [json.loads(f["Pattern"]) for f in self.mapping["FilterCriteria"]["Filters"]]
        self.assertEqual(patterns, [{"eventName": ["INSERT"]}], "an expired event's removal is no event")

    def test_a_batch_that_crashes_fanout_is_halved_and_never_given_up(self):
        self.assertEqual(self.mapping["MaximumRecordAgeInSeconds"], -1)
        self.assertEqual(self.mapping.get("MaximumRetryAttempts", -1), -1, "what not even a queue takes would be dropped")
        self.assertIs(self.mapping["BisectBatchOnFunctionError"], True)
        quarantine = {"Fn::GetAtt": ["QuarantineQueue", "Arn"]}
        self.assertEqual(self.mapping["DestinationConfig"]["OnFailure"]["Destination"], quarantine)

    def test_fanout_answers_with_an_error_not_with_a_list(self):
        self.assertNotIn("FunctionResponseTypes", self.mapping, "the emulator ignores the list and loses the records")


if __name__ == "__main__":
    unittest.main()
