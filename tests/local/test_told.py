"""What `make` tells a person: how to go on with this very stack, and one line where something is missing."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from run_dir import ROOT, USUAL, RunDir
from step import main
from up import next_steps


def told(program: str, **environment: str) -> tuple[int, str]:
    command = [sys.executable, program]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def calls_what_is_missing() -> None:
    subprocess.run(["no-such-program"], check=True)


def reads_what_is_missing() -> None:
    Path("/no/such/file").read_text()


class NextSteps(unittest.TestCase):
    def test_they_mean_the_stack_that_was_brought_up(self):
        with tempfile.TemporaryDirectory(prefix="a stack ") as folder:
            steps = "\n".join(next_steps(RunDir(folder)))
            self.assertIn(f"make down RUN_DIR='{folder}'", steps)
            self.assertIn(f"STACK='{folder}/stack.json'", steps)

    def test_the_usual_one_needs_no_name(self):
        self.assertTrue(any(re.match(r" +make down  ", step) for step in next_steps(RunDir(USUAL))))

    def test_what_has_ended_says_what_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            _, said = told("local/down.py", RUN_DIR=folder)
            self.assertIn(f"rm -r {folder}", said)


class Missing(unittest.TestCase):
    def test_a_program_that_is_not_there_is_one_line(self):
        with self.assertRaises(SystemExit) as ended:
            main(calls_what_is_missing)
        self.assertIn("no-such-program is not installed", str(ended.exception))

    def test_a_file_that_is_not_there_is_our_mistake(self):
        with self.assertRaises(FileNotFoundError):
            main(reads_what_is_missing)

    def test_counting_without_a_stack_says_how_to_get_one(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in ("tests/bench/counts.py", "tests/bench/retries.py"):
                code, said = told(program, RUN_DIR=folder)
                self.assertEqual(code, 1)
                self.assertIn("`make up`", said)
                self.assertNotIn("Traceback", said)


class Help(unittest.TestCase):
    def test_it_lists_every_target_and_nothing_else(self):
        with mock.patch.dict(os.environ, {"MAKEFLAGS": ""}):
            help_text = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        listed = set(re.findall(r"^  make ([a-z0-9-]+)", help_text, re.MULTILINE))
        there = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) - {"help", "venv"}
        self.assertEqual(listed, there)
        self.assertNotRegex(help_text, r"(?m)^ +[A-Z_]+=")


if __name__ == "__main__":
    unittest.main()
