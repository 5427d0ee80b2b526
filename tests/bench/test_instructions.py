"""The yardstick: what it says of runs that agree and of runs that do not, and of a machine that cannot count."""

import asyncio
import contextlib
import io
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from counter import Count, Counter
from instructions import Executed, by_difference, spreads, typical
from step import Failed
from yardstick import judge


def run(delivery: float) -> Executed:
    """One in which a delivery took so many instructions, and nothing else differs."""
    return Executed(
        bare={"https_warm": 100_000},
        send={"https_warm": 110_000},
        first=5_000_000,
        functions={"deliver": delivery},
        starts={"hello": 2_000_000},
    )


class Runs(unittest.TestCase):
    def judged(self, *deliveries: float) -> str:
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            judge([run(each) for each in deliveries])
        return told.getvalue()

    def test_runs_within_five_percent_agree(self):
        self.assertIn("4.90 %", self.judged(1_000_000, 1_049_000, 1_020_000))

    def test_runs_further_apart_fail_and_say_what_is(self):
        with self.assertRaisesRegex(Failed, "delivery, deliver"):
            self.judged(1_000_000, 1_051_000, 1_020_000)

    def test_the_median_counts_so_one_odd_run_moves_nothing(self):
        self.assertEqual(typical([run(1_000), run(1_010), run(9_000)]).functions, {"deliver": 1_010})

    def test_a_spread_is_the_most_over_the_least(self):
        self.assertAlmostEqual(spreads([run(100), run(110), run(105)])["delivery, deliver"], 10)


class Differences(unittest.TestCase):
    def counted(self, *opened: int) -> float:
        """Starting up takes 7,000,000 and each one 1,000; so many connections are opened in one process after another, a
        million each."""
        left = list(opened)

        async def process(number: int) -> tuple[int, tuple[int]]:
            connections = left.pop(0)
            return 7_000_000 + 1_000 * number + 1_000_000 * connections, (connections,)

        return asyncio.run(by_difference(process, 100, 300))

    def test_what_a_process_does_once_is_not_in_it(self):
        self.assertEqual(self.counted(1, 1), 1_000)

    def test_a_pair_that_opened_unlike_connections_is_counted_again(self):
        self.assertEqual(self.counted(1, 2, 2, 1, 1, 1), 1_000)

    def test_a_machine_that_keeps_none_is_told_so(self):
        with self.assertRaisesRegex(Failed, "too busy"):
            self.counted(*[1, 2] * 5)


class Counting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_without_valgrind_one_is_told_how_to_get_it_before_anything_begins(self):
        with mock.patch.dict(os.environ, {"PATH": str(self.folder)}), self.assertRaisesRegex(Failed, "install valgrind"):
            Counter(self.folder)

    def test_a_valgrind_that_cannot_run_is_told_of_in_its_own_words(self):
        program = self.folder / "valgrind"
        program.write_text("#!/bin/sh\necho no such luck >&2\nexit 1\n")
        program.chmod(0o755)
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        with mock.patch.dict(os.environ, path), self.assertRaisesRegex(Failed, "no such luck"):
            Counter(self.folder)

    def test_a_count_is_that_of_the_whole_process(self):
        path = self.folder / "some.count"
        path.write_text("desc: I1 cache:\ncmd: ./some\nevents: Ir\nfl=???\nfn=???\n0 41\nsummary: 12345\n")
        self.assertEqual(Count([], path).read(), 12_345)


if __name__ == "__main__":
    unittest.main()
