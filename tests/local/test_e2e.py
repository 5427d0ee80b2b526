"""`make e2e`: which tests a text means, which stack a path, and what a person is told."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import running
from deployment import FUNCTIONS, QUEUES, TABLES
from e2e import chosen
from logs import lines
from run_dir import ROOT
from step import Failed
from suite import E2E

IGNORED = ["chaos::faults::an_outage", "chaos::lost::events", "logs::nothing_secret"]
LISTED = ["delivery::signed", "delivery::chaos_of_names", "webhooks::logs_nothing", *IGNORED]

# A description as `make up` writes it, of a stack that is gone.
NOBODY_ANSWERS = {
    "api_url": "http://127.0.0.1:9",
    "endpoint_url": "http://127.0.0.1:9",
    "functions": dict.fromkeys(FUNCTIONS, ""),
    "queues": dict.fromkeys(QUEUES, ""),
    "tables": dict.fromkeys(TABLES, ""),
    "receiver_tls": {"cert": "", "key": "", "misfits": {}},
    "pids": [],
} | dict.fromkeys(["region", "stack", "admin_key", "schedule_group", "event_bus", "webhook_signing_secret"], "none")


class Chosen(unittest.TestCase):
    def test_without_a_text_all_but_the_ignored(self):
        self.assertEqual(chosen(LISTED, IGNORED, []), LISTED[:3])

    def test_a_text_means_every_test_that_has_it(self):
        self.assertEqual(chosen(LISTED, IGNORED, ["delivery"]), ["delivery::signed", "delivery::chaos_of_names"])
        self.assertEqual(chosen(LISTED, IGNORED, ["signed", "delivery"]), ["delivery::signed", "delivery::chaos_of_names"])

    def test_an_ignored_one_is_meant_by_its_beginning_or_alone(self):
        self.assertEqual(chosen(LISTED, IGNORED, ["chaos::faults"]), ["chaos::faults::an_outage"])
        self.assertEqual(chosen(LISTED, IGNORED, ["outage"]), ["chaos::faults::an_outage"])
        self.assertEqual(chosen(LISTED, IGNORED, ["nothing"]), ["webhooks::logs_nothing"])

    def test_a_text_that_none_has_means_none(self):
        self.assertEqual(chosen(LISTED, IGNORED, ["nobody"]), [])


class Which(unittest.TestCase):
    def test_a_relative_path_is_meant_from_where_the_person_stands(self):
        with mock.patch.dict(os.environ, {"POSTRIDER_STACK": "run/stack.json", "STANDS_IN": "/somewhere"}):
            self.assertEqual(running.description(), Path("/somewhere/run/stack.json"))
        with mock.patch.dict(os.environ, {"POSTRIDER_STACK": "/a/stack.json", "STANDS_IN": "/somewhere"}):
            self.assertEqual(running.description(), Path("/a/stack.json"))

    def test_without_a_stack_one_sentence_says_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            env = {"PATH": os.environ["PATH"], "POSTRIDER_STACK": "stack.json", "STANDS_IN": folder}
            for program in ("e2e", "logs", "env", "redrive"):
                path = str(ROOT / "local" / f"{program}.py")
                done = subprocess.run([sys.executable, path], env=env, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1, program)
                expected = f"!!! no stack runs ({Path(folder).resolve() / 'stack.json'} is not there): `make up` brings one up"
                self.assertEqual(done.stderr.strip(), expected)

    def test_one_that_died_is_told_apart(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "stack.json")
            path.write_text(json.dumps({"endpoint_url": "http://127.0.0.1:9"}))
            with (
                mock.patch.dict(os.environ, {"POSTRIDER_STACK": str(path)}),
                self.assertRaisesRegex(Failed, "does not answer: `make up` brings it up anew"),
            ):
                running.Running()


class Tests(unittest.TestCase):
    """The tests themselves, run by cargo as a person may."""

    def run_in(self, stack: str | None) -> str:
        """What the tests of one file say on a stack, all of which fail."""
        env = {name: value for name, value in os.environ.items() if name not in ("POSTRIDER_STACK", "RUST_BACKTRACE")}
        env |= {"POSTRIDER_STACK": stack} if stack else {}
        command = [*E2E, "webhooks::", "tenants::"]
        done = subprocess.run(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        self.assertRegex(done.stdout, r"test result: FAILED\. 0 passed; [1-9]", done.stdout)
        return done.stdout

    def test_without_a_stack_each_fails_and_says_what_to_do(self):
        sentence = "no stack runs: `make up`, then `make e2e`, or name one by POSTRIDER_STACK"
        said = self.run_in(None)
        self.assertEqual(said.count(f"\n{sentence}\n"), said.count(" ... FAILED\n"), said)

    def test_one_that_is_named_and_not_there_is_told_by_its_name(self):
        self.assertIn("no stack runs (some/where.json is not there): `make up`", self.run_in("some/where.json"))

    def test_a_path_from_the_projects_folder_leads_to_the_stack_and_its_logs(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder).resolve() / "stack.json"
            path.write_text(json.dumps(NOBODY_ANSWERS))
            said = self.run_in(os.path.relpath(path, ROOT))
            self.assertNotIn("no stack runs", said)
            logs = f"make logs F=deliver POSTRIDER_STACK={path} (or another function); the emulator: {path.parent}/emulator.log"
            self.assertEqual(said.count(logs), 1, said)


class Emulated:
    """The emulator's log as it pages: from a time on, so many lines, and no word of more."""

    def __init__(self, times: list[int]) -> None:
        self.events: list[dict] = [{"timestamp": t, "message": f"line {n}"} for n, t in enumerate(times)]

    def filter_log_events(self, logGroupName: str, limit: int, startTime: int) -> dict:  # noqa: N803
        return {"events": [event for event in self.events if event["timestamp"] >= startTime][:limit]}


class Logs(unittest.TestCase):
    def test_every_line_comes_once_over_all_pages(self):
        for times in ([], [5], [1, 2, 3, 4, 5, 6, 7], [1, 2, 2, 3, 3, 4]):
            with mock.patch("logs.PAGE", 3):
                self.assertEqual(list(lines(Emulated(times), "group")), [f"line {n}" for n in range(len(times))], times)


if __name__ == "__main__":
    unittest.main()
