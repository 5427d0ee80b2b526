"""What an idle stack costs, as docs/aws.md says it."""

import re
import unittest

from pages import table
from template import Template


class Idle(unittest.TestCase):
    def setUp(self):
        self.template = Template()
        self.lines = table("docs/aws.md", "What an idle stack costs")

    def cell(self, line: str) -> tuple[str, str]:
        """The line that begins so: what it says first, and its last cell."""
        (found,) = [(first, cells) for first, cells in self.lines.items() if first.startswith(line)]
        return found[0], found[1]["$ a month"]

    def test_alarms_are_counted_and_billed_by_their_metrics(self):
        of_all = self.template.of_type("AWS::CloudWatch::Alarm").values()
        # Those that are there for a choice of the operator's are paid for with it.
        alarms = [alarm["Properties"] for alarm in of_all if alarm.get("Condition") in (None, "OnAws")]
        metrics = sum(sum("MetricStat" in m for m in alarm.get("Metrics", [])) or 1 for alarm in alarms)
        said, cost = self.cell("alarms")
        self.assertEqual(re.findall(r"\d+", said), [str(len(alarms)), str(metrics)])
        self.assertEqual(cost, f"{metrics / 10:.2f}")

    def test_queues_are_counted_that_lambda_reads(self):
        reads = self.template.of_type("AWS::Lambda::EventSourceMapping").values()
        queues = [mapping for mapping in reads if "Queue" in str(mapping["Properties"]["EventSourceArn"])]
        self.assertEqual(len(queues), 5, "polling of five queues by Lambda")
        self.assertEqual(self.cell("polling of five queues")[1], f"{len(queues) * 5 * 3 * 43_800 * 0.4 / 1e6:.2f}")

    def test_secrets_are_counted(self):
        self.assertEqual(self.cell("secrets")[1], f"{len(self.template.of_type('AWS::SecretsManager::Secret')) * 0.4:.2f}")

    def test_it_adds_up(self):
        costs = {line: float(cells["$ a month"].strip("*")) for line, cells in self.lines.items()}
        total = costs.pop("**in all**")
        self.assertAlmostEqual(sum(costs.values()), total, places=2)


if __name__ == "__main__":
    unittest.main()
