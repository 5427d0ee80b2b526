"""Queues and what feeds from them: the rules of SQS that decide whether a message can be lost or doubled."""

import unittest

from facts import limit
from template import FUNCTIONS, ROOT, Template, as_list, holds, strings

DAY = 86_400
WORK = ("DeliverQueue", "RetryQueue", "SlowQueue")
# What sets how many functions read each of them.
CONCURRENCY = {"Deliver": "DeliverConcurrency", "Retry": "RetryConcurrency", "Slow": "SlowConcurrency"}
UNFINISHED = "UnfinishedQueue"
CONTINUATION = "ContinuationQueue"
# What fan-out leaves for itself.
LEFT = (UNFINISHED, CONTINUATION)
ENDS = ("DeadQueue", "QuarantineQueue", "TriggersQueue")
POLICIES = ("QueuesOverTlsOnly", "TriggersQueuePolicy")


class Queues(unittest.TestCase):
    def setUp(self):
        self.template = Template()

    def test_visibility_is_six_times_the_functions_time_out(self):
        timeout = self.template.function("deliver")["Timeout"]
        self.assertEqual(timeout, self.template.function("fanout")["Timeout"])
        for queue in (*WORK, *LEFT):
            with self.subTest(queue=queue):
                visibility = self.template.properties(queue)["VisibilityTimeout"]
                self.assertGreaterEqual(visibility, 6 * timeout, "it would reappear while its batch is at work")

    def test_no_message_waits_for_a_batch_to_fill(self):
        # The emulator has no such window. On AWS long polls stretch it, in light traffic to 20 seconds.
        for name, mapping in self.template.mappings("deliver").items():
            with self.subTest(mapping=name):
                late = "first attempts would come later, and the shortest retry is in 5 s"
                self.assertEqual(mapping.get("MaximumBatchingWindowInSeconds", 0), 0, late)

    def test_what_keeps_failing_goes_to_the_dead_letter_queue(self):
        for queue in WORK:
            with self.subTest(queue=queue):
                redrive = self.template.properties(queue)["RedrivePolicy"]
                self.assertEqual(redrive["deadLetterTargetArn"], {"Fn::GetAtt": ["DeadQueue", "Arn"]})
                self.assertGreaterEqual(redrive["maxReceiveCount"], 5, "a few throttled receives would kill a good message")

    def test_dead_letters_outlive_the_queue_they_come_from(self):
        for queue in ENDS:
            self.assertEqual(self.template.properties(queue)["MessageRetentionPeriod"], 14 * DAY, queue)
        for queue in (*WORK, *LEFT):
            retention = self.template.properties(queue)["MessageRetentionPeriod"]
            self.assertGreaterEqual(retention, 4 * DAY, "a long weekend's outage must not lose messages")
            self.assertLess(retention, 14 * DAY, "a message keeps its age when it moves: it would arrive already expired")

    def test_what_nothing_else_knows_of_outlives_a_roll_back(self):
        for queue in (*LEFT, "SlowQueue"):
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                gone = f"{queue}: {policy}: an older version does not have it, and its messages would go with it"
                self.assertEqual(self.template.resources[queue].get(policy), "Retain", gone)

    def test_what_fanout_left_is_tried_for_a_day_and_then_lies_where_it_can_be_redriven(self):
        first, longest = limit("fanout.first_wait"), limit("fanout.longest_wait")
        for queue in LEFT:
            with self.subTest(queue=queue):
                redrive = self.template.properties(queue)["RedrivePolicy"]
                self.assertEqual(redrive["deadLetterTargetArn"], {"Fn::GetAtt": ["QuarantineQueue", "Arn"]})
                waits = sum(min(first * 2**n, longest) for n in range(redrive["maxReceiveCount"]))
                self.assertGreaterEqual(waits, DAY, "the stream kept what failed for as long")
                self.assertLess(waits, self.template.properties(queue)["MessageRetentionPeriod"], "it would expire unseen")

    def test_fanout_takes_up_what_it_left_one_by_one(self):
        mappings = {m["EventSourceArn"]["Fn::GetAtt"][0]: m for m in self.template.mappings("fanout").values()}
        self.assertEqual(set(mappings), {"EventsTable", *LEFT})
        for queue in LEFT:
            with self.subTest(queue=queue):
                mapping = mappings[queue]
                self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"], "one would hold up the others")
                concurrency = mapping["ScalingConfig"]["MaximumConcurrency"]
                self.assertLess(concurrency, 10, "what failed, or goes to thousands, must not take the place of what is new")
        self.assertEqual(mappings[CONTINUATION]["BatchSize"], 1, "a message is a turn's work, which two would have to share")

    def test_no_queue_is_fifo(self):
        for name, queue in self.template.of_type("AWS::SQS::Queue").items():
            self.assertNotIn("FifoQueue", queue["Properties"], f"{name}: groups are for fairness, not for order")

    def test_no_queue_of_work_takes_anybodys_dead_letters(self):
        for name, queue in self.template.of_type("AWS::SQS::Queue").items():
            # Those two take this stack's; they cannot name its queues, which name them.
            allowed = None if name in ("DeadQueue", "QuarantineQueue") else {"redrivePermission": "denyAll"}
            self.assertEqual(queue["Properties"].get("RedriveAllowPolicy"), allowed, name)

    def test_every_queue_is_encrypted(self):
        for name, queue in self.template.of_type("AWS::SQS::Queue").items():
            self.assertIs(queue["Properties"]["SqsManagedSseEnabled"], True, name)

    def test_plaintext_is_refused_on_aws(self):
        queues = []
        for name in POLICIES:
            policy = self.template.resources[name]
            self.assertEqual(policy["Condition"], "OnAws")
            refuses = policy["Properties"]["PolicyDocument"]["Statement"][0]
            self.assertEqual((refuses["Effect"], refuses["Action"]), ("Deny", "sqs:*"))
            self.assertEqual(refuses["Condition"], {"Bool": {"aws:SecureTransport": "false"}})
            covered = [queue["Ref"] for queue in policy["Properties"]["Queues"]]
            itself = "*" if len(covered) > 1 else {"Fn::GetAtt": [covered[0], "Arn"]}
            self.assertEqual(refuses["Resource"], itself, "SQS may refuse a policy that names another queue than its own")
            queues += covered
        self.assertEqual(
            sorted(queues), sorted(self.template.of_type("AWS::SQS::Queue")), "left out, or one policy undoes another"
        )
        on_aws = self.template.all["Conditions"]["OnAws"]
        self.assertEqual([holds(on_aws, {"Environment": e}) for e in ("local", "staging", "prod")], [False, True, True])

    def test_deliver_reads_every_queue_of_attempts(self):
        sources = {str(m["EventSourceArn"]) for m in self.template.mappings("deliver").values()}
        self.assertEqual(sources, {str({"Fn::GetAtt": [queue, "Arn"]}) for queue in WORK})

    def test_who_sends_retries_may_send_slow_endpoints_theirs(self):
        senders, askers = (
            {queue: self.template.roles_that_may(action, {"Fn::GetAtt": [queue, "Arn"]}) for queue in ("RetryQueue", "SlowQueue")}
            for action in ("sqs:SendMessage", "sqs:GetQueueAttributes")
        )
        # No attempts: what a schedule sends is sent on, and a webhook's change is a ticket, which has what is parked sent.
        others = {"SchedulerRole", "WebhooksRole"}
        self.assertEqual(senders["RetryQueue"] - others, senders["SlowQueue"], "a slow one's would fail, or stay")
        self.assertEqual(askers["RetryQueue"], askers["SlowQueue"], "the sweep goes by the length of each")
        self.assertNotIn("SchedulerRole", senders["SlowQueue"], "what it sends has no group, so it is sent on from one queue")

    def test_one_failed_message_does_not_bring_its_batch_back(self):
        for name, mapping in self.template.mappings("deliver").items():
            with self.subTest(mapping=name):
                self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"], "nine would be sent again")

    def test_batches_are_small(self):
        for name, mapping in self.template.mappings("deliver").items():
            with self.subTest(mapping=name):
                self.assertEqual(mapping["BatchSize"], 10, "ten is where the price per message has fallen and risk is small")
                threads = limit("deliver.threads")
                self.assertGreater(threads, mapping["BatchSize"], "a receiver's flood would hold its batch mates up")

    def test_no_queue_can_take_the_whole_account(self):
        parameters = self.template.all["Parameters"]
        for queue, parameter in CONCURRENCY.items():
            with self.subTest(queue=queue):
                concurrency = self.template.properties(f"DeliverFrom{queue}Queue")["ScalingConfig"]["MaximumConcurrency"]
                condition, chosen, here = concurrency["Fn::If"]
                self.assertEqual((condition, chosen), ("OnAws", {"Ref": parameter}))
                self.assertIsInstance(here, int, "the emulator compares it with a number: a parameter arrives as text")
                self.assertEqual(here, parameters[parameter]["Default"], "tests would run another stack than users")
                limits = (parameters[parameter]["MinValue"], parameters[parameter]["MaxValue"])
                self.assertEqual(limits, (2, 1000), "Lambda takes no others")
        default = {queue: parameters[parameter]["Default"] for queue, parameter in CONCURRENCY.items()}
        self.assertLess(default["Retry"], default["Deliver"], "an outage's retries would stand first")
        self.assertLessEqual(default["Slow"], default["Retry"], "who answers late would hold more than who does not")

    def test_an_account_of_ten_keeps_functions_for_its_api(self):
        # As the README says: two for each queue, which is the least that Lambda takes.
        parameters = self.template.all["Parameters"]
        least = {name: parameters[name]["MinValue"] for name in (*CONCURRENCY.values(), "FanoutParallelization")}
        readme = (ROOT / "README.md").read_text()
        for name, value in least.items():
            self.assertIn(f"{name}={value}", readme)
        self.assertLessEqual(sum(least[name] for name in CONCURRENCY.values()), 6, "of ten, the API and fan-out have the rest")

    def test_the_streams_parallelization_is_a_choice(self):
        mapping = self.template.properties("FanoutFromEvents")
        self.assertEqual(mapping["ParallelizationFactor"], {"Ref": "FanoutParallelization"})
        parameter = self.template.all["Parameters"]["FanoutParallelization"]
        self.assertEqual((parameter["MinValue"], parameter["MaxValue"]), (1, 10), "Lambda takes no others")

    def test_what_a_function_sends_itself_does_not_trip_loop_detection(self):
        # deliver's chain is bounded by the retry schedule, fan-out's by an event's webhooks: both have more than 16 hops.
        for name in FUNCTIONS:
            own = {queue for m in self.template.mappings(name).values() for queue in strings(m["EventSourceArn"])}
            sends = {
                queue
                for s in self.template.statements(f"{name.capitalize()}Role")
                if "sqs:SendMessage" in as_list(s["Action"])
                for queue in strings(s["Resource"])
            }
            with self.subTest(function=name):
                recursion = self.template.function(name).get("RecursiveLoop")
                loops = own & sends - {"Arn"}
                self.assertEqual(recursion, "Allow" if loops else None, "Lambda would drop the 17th message of a chain")


if __name__ == "__main__":
    unittest.main()
