"""Alarms: each reaches a person who then knows what to do, nothing goes unwatched, and none cries before its time."""

import json
import re
import unittest

from calls import log_lines, metrics
from constants import constants
from facts import facts, limit
from template import FUNCTIONS, ROOT, Template, holds

RUNBOOK = ROOT / "docs" / "runbook"
PAGE = re.compile(r"Runbook: docs/runbook/([a-z0-9-]+)\.md$")
HEADINGS = ["What it means", "What users notice", "How to look", "What to do", "How to tell it is over"]


def page_of(alarm: dict) -> str:
    """The runbook page that an alarm's description names."""
    found = PAGE.search(alarm["AlarmDescription"])
    assert found, f"{alarm['AlarmName']} names no page"
    return found[1]


class Alarms(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.alarms = {name: a["Properties"] for name, a in self.template.of_type("AWS::CloudWatch::Alarm").items()}

    def window(self, alarm: str) -> int:
        """Seconds that it looks back."""
        return self.alarms[alarm]["Period"] * self.alarms[alarm]["EvaluationPeriods"]

    def of_function(self, metric: str) -> set[str]:
        """The functions whose `metric` an alarm watches."""
        watched = {
            dimension["Value"]["Ref"]
            for alarm in self.alarms.values()
            if alarm.get("MetricName") == metric
            for dimension in alarm["Dimensions"]
            if dimension["Name"] == "FunctionName"
        }
        return {name for name in FUNCTIONS if f"{name.capitalize()}Function" in watched}

    def rarest_sweep(self) -> int:
        return self.template.all["Parameters"]["SweepMinutes"]["MaxValue"] * 60

    def test_every_alarm_goes_to_the_topic_and_so_does_its_end(self):
        for name, alarm in self.alarms.items():
            with self.subTest(alarm=name):
                self.assertEqual(alarm["AlarmActions"], [{"Ref": "AlarmTopic"}], "nobody would hear of it")
                self.assertEqual(alarm["OKActions"], [{"Ref": "AlarmTopic"}], "nobody would know that it is over")

    def test_every_alarm_says_what_is_wrong_and_names_its_page(self):
        for name, alarm in self.alarms.items():
            with self.subTest(alarm=name):
                what, page = PAGE.split(alarm["AlarmDescription"])[:2]
                self.assertRegex(what, r"^[A-Z].{30,}\. $", "a sentence, for whoever is woken by it")
                self.assertTrue((RUNBOOK / f"{page}.md").exists(), page)

    def test_every_alarm_is_named_like_its_page_or_by_it(self):
        for name, alarm in self.alarms.items():
            with self.subTest(alarm=name):
                short = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
                page = page_of(alarm)
                self.assertTrue(page == short or f"`{short}`" in (RUNBOOK / f"{page}.md").read_text(), short)

    def test_silence_is_judged_on_purpose(self):
        for name, alarm in self.alarms.items():
            expected = "breaching" if name == "SweepNotRunAlarm" else "notBreaching"
            self.assertEqual(alarm["TreatMissingData"], expected, f"{name}: CloudWatch's own default is to shrug")

    def test_only_what_the_emulator_rejects_is_kept_from_it(self):
        for name, alarm in self.alarms.items():
            condition = self.template.resources[name].get("Condition")
            if name == "ReleaseErrorsAlarm":
                continue
            self.assertEqual(condition, "OnAws" if "Metrics" in alarm else None, f"{name}: users deploy what tests do not")

    def test_every_functions_throttles_are_watched(self):
        self.assertEqual(self.of_function("Throttles"), set(FUNCTIONS))

    def test_every_functions_errors_are_watched(self):
        behind_the_api = {
            p["Properties"]["FunctionName"]["Ref"]
            for p in self.template.of_type("AWS::Lambda::Permission").values()
            if p["Properties"]["Principal"] == "apigateway.amazonaws.com"
        }
        alone = {name for name in FUNCTIONS if f"{name.capitalize()}Function" not in behind_the_api}
        self.assertEqual(self.of_function("Errors"), alone, "it would fail unseen")
        api = self.alarms["ApiErrorsAlarm"]
        self.assertEqual((api["Namespace"], api["MetricName"]), ("AWS/ApiGateway", "5xx"), "a REST API's name is another")
        self.assertEqual(api["Dimensions"], [{"Name": "ApiId", "Value": {"Ref": "Api"}}])

    def test_metrics_of_our_own_are_written_by_the_function_that_is_named(self):
        written = metrics()
        for name, alarm in self.alarms.items():
            if alarm.get("Namespace") != "Postrider":
                continue
            with self.subTest(alarm=name):
                (dimension,) = alarm["Dimensions"]
                self.assertEqual(dimension["Name"], "FunctionName", "the one dimension that these metrics have")
                function = dimension["Value"]["Ref"].removesuffix("Function").lower()
                self.assertIn(function, written.get(alarm["MetricName"], ()), "it would wait for what nobody writes")

    def test_every_metric_of_our_own_is_written(self):
        self.assertEqual(set(metrics()), set(facts()["metrics"]), "take it out of shared/host/src/metrics.rs, or write it")

    def test_what_any_function_may_write_is_watched_in_all_of_them(self):
        for name, alarm in self.alarms.items():
            stats = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]
            if name == "FanoutStoppedAlarm" or not any(metric["Namespace"] == "Postrider" for metric in stats):
                continue
            with self.subTest(alarm=name):
                (metric,) = {metric["MetricName"] for metric in stats}
                self.assertEqual(metrics()[metric], set(FUNCTIONS))
                watched = [metric["Dimensions"] for metric in stats]
                # What asks AWS for nothing meets no row and no other clock, and an alarm has ten metrics at the most.
                asking = [f for f in FUNCTIONS if f not in ("reference", "portal")]
                expected = [[{"Name": "FunctionName", "Value": {"Ref": f"{f.capitalize()}Function"}}] for f in asking]
                self.assertEqual(watched, expected, "one series a function, none that tenants could multiply")
                self.assertIn("FILL(METRICS(), 0)", alarm["Metrics"][0]["Expression"], "a function that is silent hides none")

    def test_a_stopped_fanout_is_told_by_our_own_counts(self):
        alarm = self.alarms["FanoutStoppedAlarm"]
        expression, *series = alarm["Metrics"]
        watched: dict[str, set[str]] = {}
        for one in series:
            metric = one["MetricStat"]["Metric"]
            (dimension,) = metric["Dimensions"]
            ends = f"{one['Id']}: of AWS/DynamoDB's metrics CloudWatch ignores what is missing, and the alarm would never end"
            self.assertEqual((metric["Namespace"], dimension["Name"]), ("Postrider", "FunctionName"), ends)
            self.assertEqual((one["MetricStat"]["Stat"], one["ReturnData"]), ("Sum", False))
            watched.setdefault(metric["MetricName"], set()).add(dimension["Value"]["Ref"].removesuffix("Function").lower())
        written = metrics()
        self.assertEqual(watched, {name: written[name] for name in ("AcceptedEvents", "TakenEvents")})
        self.assertEqual(written["TakenEvents"], {"fanout"})
        accepted = " + ".join(f"FILL({one['Id']}, 0)" for one in series if one["Id"] != "taken")
        self.assertEqual(expression["Expression"], f"IF({accepted} > 0 AND FILL(taken, 0) == 0, 1, 0)")
        periods = {one["MetricStat"]["Period"] for one in series}
        once = constants()["host::metrics::INTERVAL"]
        self.assertGreaterEqual(min(periods), 5 * once, "what one process wrote a minute late would look stopped")
        self.assertGreaterEqual(alarm["EvaluationPeriods"], 3, "an event on a period's edge, and a count that was written late")
        self.assertEqual(alarm.get("DatapointsToAlarm", 3), alarm["EvaluationPeriods"], "it would outlast its cause")

    def test_whoever_may_put_an_event_counts_it(self):
        events = {"Fn::GetAtt": ["EventsTable", "Arn"]}
        doors = {role.removesuffix("Role").lower() for role in self.template.roles_that_may("dynamodb:PutItem", events)}
        self.assertEqual(metrics()["AcceptedEvents"], doors, "what came in by that door alone would not be missed")

    def test_one_blocked_attempt_sets_the_alarm_off_and_no_tenant_multiplies_its_series(self):
        alarm = self.alarms["BlockedAlarm"]
        self.assertEqual(alarm["Dimensions"], [{"Name": "FunctionName", "Value": {"Ref": "DeliverFunction"}}])
        self.assertIn("deliver", metrics()["Blocked"])
        self.assertEqual((alarm["Threshold"], alarm["EvaluationPeriods"]), (1, 1), "one attempt is enough")

    def test_every_queue_is_watched(self):
        watched = {
            (dimension["Value"]["Fn::GetAtt"][0], alarm["MetricName"])
            for alarm in self.alarms.values()
            for dimension in alarm.get("Dimensions", [])
            if dimension["Name"] == "QueueName"
        }
        age, count = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"
        queues = {
            ("DeliverQueue", age),
            ("RetryQueue", age),
            ("SlowQueue", age),
            ("DeadQueue", count),
            ("QuarantineQueue", count),
        }
        queues |= {("TriggersQueue", count), ("UnfinishedQueue", age), ("ContinuationQueue", age)}
        self.assertEqual(watched, queues)

    def test_the_sweep_is_missed_soon_but_not_for_one_late_run(self):
        self.assertGreaterEqual(self.window("SweepNotRunAlarm"), 3 * self.rarest_sweep())
        self.assertLessEqual(self.window("SweepNotRunAlarm"), 1800, "rescues would be hours late")

    def test_dead_letters_have_time_to_be_swept(self):
        self.assertGreater(self.window("DeadLettersLeftAlarm"), 2 * self.rarest_sweep(), "it would go off before the sweep")

    def test_an_overdue_retry_has_time_to_be_rescued(self):
        rescued = limit("sweep.grace") + 2 * self.rarest_sweep()
        self.assertGreater(self.alarms["OverdueAlarm"]["Threshold"], rescued, "everyday rescues would set it off")

    def test_one_crash_is_not_a_queue_that_is_behind(self):
        for queue in ("DeliverQueue", "RetryQueue", "SlowQueue"):
            alarm = f"{queue}BehindAlarm"
            with self.subTest(alarm=alarm):
                properties = self.template.properties(queue)
                after = self.alarms[alarm]["Threshold"] + self.window(alarm)
                visibility = properties["VisibilityTimeout"]
                self.assertGreater(after, visibility, "a message that comes back once would set it off")
                gives_up = visibility * properties["RedrivePolicy"]["maxReceiveCount"]
                self.assertLess(after, gives_up, "the messages would be dead letters before anybody hears of it")

    def test_fanout_is_missed_long_before_the_stream_forgets(self):
        alarm = self.alarms["FanoutBehindAlarm"]
        self.assertLess(alarm["Threshold"] / 1000 + self.window("FanoutBehindAlarm"), 24 * 3600 / 24)

    def test_schedulers_metrics_are_those_of_the_stacks_own_group(self):
        watched = {a["MetricName"] for a in self.alarms.values() if a.get("Namespace") == "AWS/Scheduler"}
        drops = {"InvocationDroppedCount", "InvocationsFailedToBeSentToDeadLetterCount"}
        self.assertEqual(watched, drops | {"TargetErrorCount", "InvocationThrottleCount"})
        for name, alarm in self.alarms.items():
            if alarm.get("Namespace") == "AWS/Scheduler":
                group = [{"Name": "ScheduleGroup", "Value": {"Ref": "ScheduleGroup"}}]
                self.assertEqual(alarm["Dimensions"], group, f"{name}: other applications' schedules would count")


class Topic(unittest.TestCase):
    def setUp(self):
        self.template = Template()

    def test_it_is_encrypted_with_a_key_that_alarms_may_use(self):
        key = {"Fn::GetAtt": ["AlarmKey", "Arn"]}
        self.assertEqual(self.template.properties("AlarmTopic")["KmsMasterKeyId"], key)
        statements = self.template.properties("AlarmKey")["KeyPolicy"]["Statement"]
        (allowed,) = [s for s in statements if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
        self.assertEqual(allowed["Action"], ["kms:Decrypt", "kms:GenerateDataKey*"], "alarms would go nowhere, silently")
        own = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        self.assertEqual(allowed["Condition"], own, "another account's alarm could use the key")

    def test_only_this_accounts_alarms_may_publish(self):
        (statement,) = self.template.properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "cloudwatch.amazonaws.com"})
        own = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        self.assertEqual(statement["Condition"], own, "anybody's alarms could page you")

    def test_an_email_address_is_optional(self):
        parameter = self.template.all["Parameters"]["AlarmEmail"]
        self.assertEqual(parameter["Default"], "")
        for good in ("", "ops@example.com"):
            self.assertRegex(good, parameter["AllowedPattern"])
        self.assertNotRegex("ops", parameter["AllowedPattern"])
        self.assertEqual(self.template.resources["AlarmsByEmail"]["Condition"], "AlarmsGoByEmail")
        given = self.template.all["Conditions"]["AlarmsGoByEmail"]
        self.assertEqual([holds(given, {"AlarmEmail": e}) for e in ("", "ops@example.com")], [False, True])


class Runbook(unittest.TestCase):
    def setUp(self):
        template = Template()
        self.alarms = {page_of(alarm["Properties"]) for alarm in template.of_type("AWS::CloudWatch::Alarm").values()}
        dashboard = template.properties("Dashboard")["DashboardBody"]["Fn::Sub"]
        self.shown = set(re.findall(r"docs/runbook/([a-z0-9-]+)\.md", dashboard))
        self.pages = {path.stem: path.read_text() for path in RUNBOOK.glob("*.md") if path.stem != "README"}

    def test_every_page_is_led_to_and_stands_in_the_index(self):
        self.assertEqual(set(self.pages), self.alarms | self.shown, "a page that neither alarm nor dashboard leads to")
        index = re.findall(r"^\| \[([a-z-]+)\]\(([a-z-]+)\.md\)", (RUNBOOK / "README.md").read_text(), re.MULTILINE)
        self.assertEqual(sorted(index), sorted((page, page) for page in self.pages))

    def test_every_page_answers_the_same_questions(self):
        for name, text in self.pages.items():
            with self.subTest(page=name):
                self.assertEqual(re.findall(r"^## (.+)$", text, re.MULTILINE), HEADINGS)
                self.assertTrue(text.startswith(f"# {name}\n"))

    def test_a_list_of_functions_names_those_that_there_are(self):
        for name, text in self.pages.items():
            for listed in re.findall(r"^- ((?:`[a-z]+`, )+`[a-z]+`): ", text, re.MULTILINE):
                self.assertLessEqual(set(re.findall(r"`([a-z]+)`", listed)), set(FUNCTIONS), name)

    def test_queries_ask_for_lines_that_are_written(self):
        written = log_lines()
        for name, text in self.pages.items():
            for line in re.findall(r'message = "([^"]+)"', text):
                self.assertIn(line, written, f"{name}: the query would find nothing, and somebody would be reassured")

    def test_queries_ask_for_outcomes_and_statuses_that_there_are(self):
        for field, known in (("outcome", facts()["outcomes"]), ("status", facts()["statuses"])):
            for name, text in self.pages.items():
                for value in re.findall(rf'\b{field} = "([^"]+)"', text):
                    kind = re.sub(r"^status_\d{3}$", "status_<code>", value)
                    self.assertIn(kind, known, f"docs/runbook/{name}.md: nothing has this {field}, so the query finds nothing")

    def test_links_lead_somewhere(self):
        for path in RUNBOOK.glob("*.md"):
            for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
                self.assertTrue((path.parent / target).exists(), f"{path.name} -> {target}")

    def test_numbers_in_words_are_the_programs_own(self):
        deliver = (RUNBOOK / "deliver-errors.md").read_text()
        self.assertIn(f"and {limit('deliver.margin')} s left", deliver)
        bound = constants()
        page, waiting = bound["domain::endpoint::parking::FIRST_PAGE"], bound["deliver::parked::BACKLOG"]
        parked = " ".join((RUNBOOK / "parked-webhooks.md").read_text().split())
        self.assertIn(f"{page:g} deliveries at the most while {waiting:,g} messages wait", parked)
        self.assertIn(f"one delivery every {bound['domain::endpoint::parking::CAREFUL_INTERVAL']:g} seconds", parked)
        self.assertIn(f"After {bound['domain::endpoint::parking::UNDER_WAY']:g} seconds it is sent once more", parked)
        backlog = f"{limit('sweep.backlog'):,} messages"
        self.assertIn(backlog, (RUNBOOK / "retry-queue-behind.md").read_text())


class Dashboard(unittest.TestCase):
    def setUp(self):
        template = Template()
        body = template.properties("Dashboard")["DashboardBody"]["Fn::Sub"]
        self.resources = template.resources
        self.body, self.widgets = body, json.loads(body)["widgets"]

    def test_what_it_refers_to_is_in_the_template(self):
        for name in re.findall(r"\$\{([^!}][^}]*)\}", self.body):
            self.assertTrue(name.startswith("AWS::") or name.split(".")[0] in self.resources, name)

    def test_widgets_do_not_overlap_and_fit(self):
        taken: set[tuple[int, int]] = set()
        for widget in self.widgets:
            columns = range(widget["x"], widget["x"] + widget["width"])
            cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
            self.assertLessEqual(max(columns), 23)
            self.assertFalse(taken & cells, widget["properties"]["title"])
            taken |= cells

    def test_every_metric_of_our_own_is_shown(self):
        for metric in facts()["metrics"]:
            self.assertTrue(f'"{metric}"' in self.body or f'\\"{metric}\\"' in self.body, metric)

    def test_a_metric_of_our_own_is_shown_of_every_function_that_writes_it(self):
        shown: dict[str, set[str]] = {}
        for row in (row for widget in self.widgets for row in widget["properties"]["metrics"]):
            if row[0] == "Postrider":
                shown.setdefault(row[1], set()).add(row[3].removeprefix("${AWS::StackName}-"))
        self.assertEqual(shown, {metric: metrics()[metric] for metric in shown}, "it would show a part, or nothing")


if __name__ == "__main__":
    unittest.main()
