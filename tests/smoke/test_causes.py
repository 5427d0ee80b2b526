"""What is said of a hop that fails: each cause in its own words, with a place to look at that there is."""

import contextlib
import io
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from run_dir import ROOT
from smoke import causes
from smoke.rows import Finding, Row, Rows, Unknown, Verdict


def delivery(*outcomes: str, status: str = "retrying", **other: object) -> dict:
    attempts = [{"number": number, "outcome": outcome} for number, outcome in enumerate(outcomes, 1)]
    return {"id": "dlv_1", "status": status, "attempts": attempts, "next_attempt_at": "2026-01-15T14:30:00Z"} | other


class Causes(unittest.TestCase):
    def test_an_event_that_is_not_fanned_out(self):
        told = causes.of_event({"id": "evt_1", "not_delivered": []}, "p-fanout")
        self.assertRegex(told, "evt_1 is stored.*p-fanout does not get it")
        passed_by = causes.of_event({"id": "evt_1", "not_delivered": [{"webhook_id": "wh_1", "reason": "filtered"}]}, "p-fanout")
        self.assertIn("passed by: filtered", passed_by)

    def test_a_delivery_that_nobody_attempts(self):
        told = causes.of_delivery(delivery(status="pending"), "p-deliver")
        self.assertRegex(told, "p-deliver gets nothing from the deliver queue.*dlv_1.*deliver-queue-behind")

    def test_each_outcome_has_a_cause_of_its_own(self):
        told = {one: causes.of_delivery(delivery(one), "p-deliver") for one in [*causes.OUTCOMES, "timed_out", "status_418"]}
        for outcome, text in told.items():
            self.assertIn(outcome, text)
        self.assertEqual(len({text.replace(one, "") for one, text in told.items()}), len(told))
        self.assertIn("deliver signs with another one", told["status_401"])
        self.assertIn("NAT gateway", told["timed_out"])

    def test_it_repeats_what_the_receiver_said(self):
        refused = delivery("status_401", status="failed", reason="attempts_exhausted")
        refused["attempts"][0] |= {"response_excerpt": "the signature was not made with", "error": "401"}
        self.assertRegex(causes.of_delivery(refused, "p"), "failed, attempts_exhausted.*says 'the signature was not made with'")

    def test_a_retry_that_does_not_come(self):
        told = causes.of_retry(delivery("status_503"), "p", causes.by_scheduler(False))
        self.assertRegex(told, "put off until 2026-01-15T14:30:00Z.*there is no schedule for it")
        others = {causes.by_scheduler(has) for has in (True, False, None)} | {causes.BY_DELAY}
        self.assertEqual(len(others), 4)
        ended = causes.of_retry(delivery("status_503", "status_401", status="failed"), "p", "Scheduler")
        self.assertIn("status_401", ended, "it has come, and something else was wrong")

    def test_every_page_that_is_named_is_there(self):
        sources = [path.read_text() for path in (ROOT / "local" / "smoke").glob("*.py")]
        named = {name for text in sources for name in re.findall(r"docs/[\w/.-]+\.md", text)}
        self.assertGreater(len(named), 10)
        self.assertEqual([name for name in sorted(named) if not (ROOT / name).exists()], [])


class Told(unittest.TestCase):
    def look(self, error: Exception | None) -> tuple[Row, int]:
        rows = Rows()

        def at() -> str:
            if error:
                raise error
            return "well"

        with contextlib.redirect_stdout(io.StringIO()):
            return rows.look("a thing", at), rows.exit_status()

    def test_a_pipeline_learns_which_it_is(self):
        for error, verdict, status in [
            (None, Verdict.OK, 0),
            (Unknown("not here"), Verdict.UNKNOWN, 0),
            (Finding("broken"), Verdict.FAILED, 1),
        ]:
            row, found = self.look(error)
            self.assertEqual((row.verdict, found), (verdict, status))


if __name__ == "__main__":
    unittest.main()
