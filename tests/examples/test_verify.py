"""The examples that users copy, run as they stand: docs/examples/verify.py and verify.mjs."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"

# RFC 4231, test case 2.
SECRET = "Jefe"
BODY = b"what do ya want for nothing?"
SIGNATURE = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

# The example of Standard Webhooks' own libraries, of February 2021.
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_TIME = 1614265330
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(STANDARD_TIME),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "v1," + base64.b64encode(bytes(32)).decode()


# For the type checker: a `TestCase` in earnest would be run by itself, and has no command.
if TYPE_CHECKING:
    Checks = unittest.TestCase
else:
    Checks = object


class Example(Checks):
    """What both languages have to do; a class below says how to run one."""

    command: list[str]
    # A program that imports the example, reads {headers, secret, now} from GIVEN and the body from its input.
    standard: list[str]

    def run_it(self, command: list[str], body: bytes, secret: str = SECRET, given: str = "") -> tuple[bool, str]:
        env = {
            "PATH": os.environ["PATH"],
            "WEBHOOK_SECRET": secret,
            "GIVEN": given,
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
        }
        done = subprocess.run(
            command, input=body, env=env, cwd=EXAMPLES, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return done.returncode == 0, done.stdout.decode().strip()

    def verdict(self, body: bytes, signature: str, secret: str = SECRET) -> tuple[bool, str]:
        return self.run_it([*self.command, signature], body, secret)

    def standard_verdict(
        self,
        body: bytes = STANDARD_BODY,
        secret: str | list[str] = STANDARD_SECRET,
        now: int = STANDARD_TIME,
        **headers: str | None,
    ) -> str:
        all_headers = STANDARD_HEADERS | {f"webhook-{name}": value for name, value in headers.items()}
        present = {name: value for name, value in all_headers.items() if value is not None}
        given = json.dumps({"headers": present, "secret": secret, "now": now})
        ran, said = self.run_it(self.standard, body, given=given)
        self.assertTrue(ran, f"it crashed: {said}")
        return said.lower()

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

    def test_nothing_is_no_secret(self):
        unkeyed = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
        for secret in ("", "\n", "\n\n"):
            self.assertEqual(self.verdict(BODY, unkeyed, secret), (False, "signature does not match"), repr(secret))
        self.assertEqual(self.verdict(BODY, unkeyed, f"\n{SECRET}"), (False, "signature does not match"))

    def test_several_secrets_count_while_one_is_being_changed(self):
        for secrets in (f"old secret\n{SECRET}", f"{SECRET}\nnew secret", f"a\n{SECRET}\nb"):
            self.assertEqual(self.verdict(BODY, SIGNATURE, secrets), (True, "signature verified"), secrets)
        self.assertEqual(self.verdict(BODY, SIGNATURE, "old secret\nnew secret"), (False, "signature does not match"))
        other = "whsec_" + base64.b64encode(bytes(range(32))).decode()
        for listed in (
            [other, STANDARD_SECRET],
            [STANDARD_SECRET, other],
            ["", STANDARD_SECRET],
            ["whsec_no base64!", STANDARD_SECRET],
        ):
            self.assertEqual(self.standard_verdict(secret=listed), "true", listed)
        for wrong in ([], [""], [other, other]):
            self.assertEqual(self.standard_verdict(secret=wrong), "false", wrong)

    def test_standard_webhooks_are_verified(self):
        signature = STANDARD_HEADERS["webhook-signature"]
        self.assertEqual(self.standard_verdict(), "true")
        self.assertEqual(self.standard_verdict(secret=STANDARD_SECRET.removeprefix("whsec_")), "true")
        self.assertEqual(self.standard_verdict(now=STANDARD_TIME + 299), "true")
        for both in (f"{signature} {OTHER}", f"{OTHER} {signature}", f"v1a,xyz {OTHER} {signature}"):
            self.assertEqual(self.standard_verdict(signature=both), "true", "one that fits is enough")

    def test_false_standard_webhooks_are_told_apart_and_never_crash(self):
        signature = STANDARD_HEADERS["webhook-signature"]
        for bad in (
            "",
            None,
            OTHER,
            f"{OTHER} {OTHER}",
            signature[:-1],
            signature.removeprefix("v1,"),
            f"v2,{signature[3:]}",
            "v1,é",
        ):
            self.assertEqual(self.standard_verdict(signature=bad), "false", bad)
        for bad in ("msg_other", "", None):
            self.assertEqual(self.standard_verdict(id=bad), "false", bad)
        for bad in (str(STANDARD_TIME + 1), "", "soon", "9" * 5000, None):
            self.assertEqual(self.standard_verdict(timestamp=bad), "false", bad)
        for bad in ("", "whsec_", "whsec_not base64!", "whsec_" + base64.b64encode(bytes(24)).decode()):
            self.assertEqual(self.standard_verdict(secret=bad), "false", bad)
        for late in (STANDARD_TIME + 301, STANDARD_TIME - 301):
            self.assertEqual(self.standard_verdict(now=late), "false", "somebody may be sending it again")
        self.assertEqual(self.standard_verdict(body=STANDARD_BODY + b" "), "false")

    def test_standard_webhooks_are_verified_by_hand_too(self):
        now = str(int(time.time()))
        key = base64.b64decode(STANDARD_SECRET.removeprefix("whsec_"))
        signed = hmac.new(key, f"evt_1.{now}.".encode() + BODY, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(signed).decode()}"
        good = self.run_it([*self.command, signature, "evt_1", now], BODY, STANDARD_SECRET)
        self.assertEqual(good, (True, "signature verified"))
        for arguments in ([signature, "evt_2", now], [OTHER, "evt_1", now], [signature, "evt_1", "1614265330"]):
            bad = self.run_it([*self.command, *arguments], BODY, STANDARD_SECRET)
            self.assertEqual(bad, (False, "signature does not match"), arguments)

    def test_whoever_calls_it_wrongly_is_told_how(self):
        for arguments in ([], [SIGNATURE, "evt_1"], [SIGNATURE, "evt_1", "1", "2"]):
            ran, said = self.run_it([*self.command, *arguments], BODY)
            self.assertFalse(ran)
            self.assertTrue(said.startswith("usage: "), said)


class Python(Example, unittest.TestCase):
    command = [sys.executable, str(EXAMPLES / "verify.py")]
    standard = [
        sys.executable,
        "-c",
        (
            "import json, os, sys, verify; a = json.loads(os.environ['GIVEN']);"
            "print(verify.is_authentic_standard(sys.stdin.buffer.read(), a['headers'], a['secret'], a['now']))"
        ),
    ]


@unittest.skipUnless(shutil.which("node"), "needs Node")
class Node(Example, unittest.TestCase):
    command = ["node", str(EXAMPLES / "verify.mjs")]
    standard = [
        "node",
        "--input-type=module",
        "--eval",
        f"""
        import {{ readFileSync }} from "node:fs";
        import {{ isAuthenticStandard }} from {json.dumps((EXAMPLES / "verify.mjs").as_uri())};
        const {{ headers, secret, now }} = JSON.parse(process.env.GIVEN);
        console.log(isAuthenticStandard(readFileSync(0), headers, secret, now));
        """,
    ]


if __name__ == "__main__":
    unittest.main()
