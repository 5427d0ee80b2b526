"""The examples that users copy, run as they stand: docs/examples/verify.py and verify.mjs."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"

# RFC 4231, test case 2.
SECRET = "Jefe"
BODY = b"what do ya want for nothing?"
SIGNATURE = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


class Example:
    """What both languages have to do; a class below says how to run one."""

    command: list[str]

    def verdict(self, body: bytes, signature: str, secret: str = SECRET) -> tuple[bool, str]:
        env = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "LC_ALL": "C.UTF-8"}
        command = [*self.command, signature]
        done = subprocess.run(command, input=body, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode == 0, done.stdout.decode().strip()

    def test_a_true_signature_is_verified_with_and_without_its_prefix(self):
        for signature in (SIGNATURE, f"sha256={SIGNATURE}"):
            self.assertEqual(self.verdict(BODY, signature), (True, "signature verified"), signature)

    def test_a_false_one_is_told_apart_and_never_crashes(self):
        false = ("", "sha256=", SIGNATURE[:-1], SIGNATURE + "0", "0" + SIGNATURE[1:], "é" * 32, "sha256=sha256=" + SIGNATURE)
        for signature in false:
            self.assertEqual(self.verdict(BODY, signature), (False, "signature does not match"), signature)

    def test_every_byte_of_the_body_counts(self):
        for body in (BODY + b"\n", BODY[1:], b""):
            self.assertEqual(self.verdict(body, SIGNATURE), (False, "signature does not match"), body)

    def test_the_secret_is_taken_whole(self):
        self.assertEqual(self.verdict(BODY, SIGNATURE, f"whsec_{SECRET}"), (False, "signature does not match"))


class Python(Example, unittest.TestCase):
    command = [sys.executable, str(EXAMPLES / "verify.py")]


@unittest.skipUnless(shutil.which("node"), "needs Node")
class Node(Example, unittest.TestCase):
    command = ["node", str(EXAMPLES / "verify.mjs")]


if __name__ == "__main__":
    unittest.main()
