"""Who asks the smoke test to end, and when he is heard."""

import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from smoke import ending


class Endings(unittest.TestCase):
    def setUp(self):
        for number in ending.ASKED_BY:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        # As whoever runs these tests may not have it, under `nohup`.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def ask(self, number: int) -> None:
        os.kill(os.getpid(), number)
        # A handler runs between two of the program's own steps.
        for _ in range(1_000):
            pass

    def test_each_way_of_asking_is_heard_once(self):
        for number in ending.ASKED_BY:
            ending.hear()
            with self.assertRaises(KeyboardInterrupt):
                self.ask(number)
            for again in ending.ASKED_BY:
                self.ask(again)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def test_what_is_being_taken_away_is_taken_away_first(self):
        ending.hear()
        done = []
        with self.assertRaises(KeyboardInterrupt), ending.unheard():
            self.ask(signal.SIGTERM)
            done.append("all")
        self.assertEqual(done, ["all"])
        with self.assertRaises(KeyboardInterrupt):
            self.ask(signal.SIGHUP)

    def test_a_terminal_that_hangs_up_is_not_asking_where_somebody_said_so(self):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        ending.hear()
        self.ask(signal.SIGHUP)
        with ending.unheard():
            self.ask(signal.SIGHUP)
        with self.assertRaises(KeyboardInterrupt):
            self.ask(signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
