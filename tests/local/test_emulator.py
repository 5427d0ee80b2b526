"""The emulator: another one's is never taken for ours, and what is ours is found and ended."""

import http.server
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import emulator
from emulator import MARK, Emulator
from run_dir import RunDir

WAITS = "print('up', flush=True); import time; time.sleep(60)"


class Healthy(http.server.BaseHTTPRequestHandler):
    """Answers as an emulator does that is up."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Launched(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run_dir = RunDir(folder.name)
        self.emulator = Emulator(self.run_dir)

    def start(self, program: str, port: int, mark: str) -> tuple[subprocess.Popen, str]:
        """A program in the emulator's place, and the record of it; once it has said a line."""
        child = subprocess.Popen(
            [sys.executable, "-c", program], env={MARK: mark}, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert child.stdout
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.addCleanup(child.stdout.close)
        self.run_dir.emulator_record.write_text(f'{{"pid": {child.pid}, "port": {port}, "auth": false}}')
        self.emulator._read()
        return child, child.stdout.readline()

    def test_an_emulator_of_another_stack_on_its_port_is_not_taken_for_it(self):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as other:
            threading.Thread(target=other.serve_forever, daemon=True).start()
            port = other.server_address[1]
            self.emulator._child, _ = self.start(WAITS, port, str(self.run_dir.path))
            with mock.patch.object(emulator, "READY_WITHIN", 1):
                self.assertTrue(emulator.answers(self.emulator.url), "somebody answers there")
                self.assertFalse(self.emulator._becomes_ready())
            other.shutdown()

    def test_what_carries_its_mark_is_found_and_ended(self):
        family = "import subprocess, sys; c = subprocess.Popen(['sleep', '60']); print(c.pid, flush=True); c.wait()"
        child, grandchild = self.start(family, 1, str(self.run_dir.path))
        deadline = time.monotonic() + 10
        # Right after its start a process tells nothing of itself.
        while (found := {process.pid for process in self.emulator._processes()}) != {child.pid, int(grandchild)}:
            self.assertLess(time.monotonic(), deadline, found)
        # Nobody else takes the status of what it started, as after the end of `make up`.
        threading.Thread(target=child.wait, daemon=True).start()
        self.assertTrue(self.emulator.stop())
        self.assertEqual(child.wait(), -15)
        self.assertFalse(self.run_dir.emulator_record.exists())

    def test_a_process_with_its_number_and_another_mark_is_let_be(self):
        child, _ = self.start(WAITS, 1, "/somewhere/else")
        self.assertFalse(self.emulator.stop())
        self.assertIsNone(child.poll())
