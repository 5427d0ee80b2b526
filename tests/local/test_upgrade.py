"""What `make upgrade` goes by: which version is the one before, and what counts as lost or as sent twice."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "upgrade"))

from earlier import find
from endpoints import Endpoint, Post
from reckoning import UNRECORDED, Reckoning


class Earlier(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.clone = Path(self.folder.name)
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.clone, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("commit", "--quiet", "--allow-empty", "--message", "something")
        return self.git("rev-parse", "HEAD")

    def assert_found(self, name: str, commit: str) -> None:
        found = find(self.clone)
        assert found is not None
        self.assertEqual((found.name, found.commit), (name, commit))

    def test_it_is_the_last_release_and_not_what_is_checked_out(self):
        first = self.commit()
        self.git("tag", "v0.1.0")
        self.commit()
        self.git("tag", "another")
        last = self.commit()
        self.assert_found("v0.1.0", first)
        # What is checked out is the release itself.
        self.git("tag", "v0.2.0")
        self.assert_found("v0.1.0", first)
        self.commit()
        self.assert_found("v0.2.0", last)

    def test_where_the_history_is_not_there_it_is_none(self):
        self.assertIsNone(find(self.clone))
        self.commit()
        self.assertIsNone(find(self.clone))
        self.assertIsNone(find(self.clone / ".git" / "hooks"))


DEPLOYED = [(1_000.0, 1_100.0)]
TOOK = 3.0


def delivery(event: str, status: str, *outcomes: str) -> dict:
    return {"event_id": event, "status": status, "attempts": [{"outcome": outcome} for outcome in outcomes]}


def reckoned(posts: list[Post], *rows: dict, expected: tuple[str, ...] = ("evt_1",)) -> Reckoning:
    reckoning = Reckoning()
    reckoning.add(Endpoint("one", posts=posts), expected, list(rows), DEPLOYED)
    return reckoning


class Reckonings(unittest.TestCase):
    def test_what_came_once_is_right(self):
        reckoning = reckoned(
            [Post("evt_1", 1, 422), Post("evt_1", 2, 204)], delivery("evt_1", "succeeded", "status_422", "succeeded")
        )
        self.assertEqual((reckoning.wrong, reckoning.posts, reckoning.deliveries), ([], 2, 1))
        self.assertEqual((reckoning.doubles_cut_off, reckoning.doubles_on_record, reckoning.unrecorded), (0, 0, 0))

    def test_what_is_lost_or_was_never_published_is_wrong(self):
        self.assertEqual(len(reckoned([]).wrong), 1)
        self.assertEqual(len(reckoned([], delivery("evt_1", "retrying")).wrong), 1)
        self.assertEqual(len(reckoned([], delivery("evt_1", "succeeded", "succeeded")).wrong), 1, "no POST came")
        once = [Post("evt_1", 1, 204)]
        row = delivery("evt_1", "succeeded", "succeeded")
        self.assertEqual(len(reckoned([*once, Post("evt_2", 1, 204)], row).wrong), 1)
        self.assertEqual(len(reckoned(once, row, row).wrong), 1, "one event, two deliveries")

    def test_a_double_on_record_is_counted(self):
        reckoning = reckoned([Post("evt_1", 1, 204)] * 2, delivery("evt_1", "succeeded", "succeeded", "succeeded"))
        self.assertEqual((reckoning.wrong, reckoning.doubles_on_record, reckoning.doubles_cut_off), ([], 1, 0))

    def test_a_double_off_the_record_needs_a_function_that_was_replaced_meanwhile(self):
        row = delivery("evt_1", "succeeded", "succeeded")
        begun = 1_000.0 - TOOK - UNRECORDED
        for at, wrong in ((1_050.0, 0), (begun, 0), (begun - 1, 1), (1_101.0, 1)):
            reckoning = reckoned([Post("evt_1", at, 204, TOOK), Post("evt_1", 2_000, 204)], row)
            self.assertEqual((len(reckoning.wrong), reckoning.doubles_cut_off, reckoning.unrecorded), (wrong, 1, 1), at)

    def test_a_signature_that_does_not_verify_is_wrong(self):
        endpoint = Endpoint("one", posts=[Post("evt_1", 1, 204)], forged=["one, evt_1: no"])
        reckoning = Reckoning()
        reckoning.add(endpoint, ["evt_1"], [delivery("evt_1", "succeeded", "succeeded")], DEPLOYED)
        self.assertEqual(reckoning.wrong, ["one, evt_1: no"])


if __name__ == "__main__":
    unittest.main()
