"""Tests that want a stack each: every one has its turn on a free stack, and a failure is told by name."""

import contextlib
import io
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from side_by_side import SideBySide
from step import Failed

# A test program: it says on which stack it runs, and fails where its name says so.
PROGRAM = """
import os, sys
print("running 1 test")
print("told on", os.environ["POSTRIDER_STACK"])
sys.exit("bad" in sys.argv[1])
"""


def told(tests: list[str], stacks: list[str], program: str = PROGRAM) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        SideBySide([sys.executable, "-c", program], tests).run([Path(stack) for stack in stacks])
    return output.getvalue()


class Turns(unittest.TestCase):
    def test_each_has_one_turn_and_both_stacks_are_used(self):
        tests = [f"t{n}" for n in range(6)]
        output = told(tests, ["/one", "/two"])
        for test in tests:
            self.assertEqual(output.count(f"test {test} ... ok"), 1)
        self.assertIn("told on /one", output)
        self.assertIn("told on /two", output)
        self.assertNotIn("running 1 test", output)

    def test_a_failure_is_named_and_the_others_have_their_turn(self):
        with self.assertRaises(Failed) as failure:
            told(["bad", "good", "as bad"], ["/one"])
        self.assertIn("as bad", str(failure.exception))
        self.assertNotIn("good", str(failure.exception))

    def test_a_test_that_could_not_begin_had_no_turn(self):
        with (
            mock.patch("threading.excepthook"),
            mock.patch("subprocess.Popen", side_effect=OSError("no more processes")),
            self.assertRaisesRegex(Failed, "t had no turn"),
        ):
            told(["t"], ["/one"])

    def test_what_is_no_text_is_told_all_the_same(self):
        program = "import sys; print('running 1 test', flush=True); sys.stdout.buffer.write(b'\\xff\\n')"
        self.assertIn("test t ... ok", told(["t"], ["/one"], program))

    def test_a_name_that_no_test_has_fails(self):
        with self.assertRaises(Failed):
            told(["renamed"], ["/one"], "print('running 0 tests')")


if __name__ == "__main__":
    unittest.main()
