"""The programs that docs/receivers.md and docs/api.md show, run as they are printed, on real signatures; and the bodies."""

import ast
import base64
import contextlib
import hashlib
import hmac
import importlib.util
import json
import logging
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "examples"))

from werkzeug.serving import make_server
from werkzeug.test import Client

from verify import is_authentic, is_authentic_standard

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PACKAGES = ROOT / "tests" / "verifiers" / "node_modules"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(24))).decode()
# The secret of the page's examples, where the whole text is the key.
WHOLE = "your signing secret"
# JSON that no printer writes again as it stands.
BODY = b'{"type":"invoice.paid",  "data": {"amount": 1.0, "to": "M\\u00fcller"}}'
SECONDS = 20


def blocks(page: str, heading: str) -> list[str]:
    """The blocks below a heading, as they are printed."""
    _, found, below = (ROOT / "docs" / page).read_text().partition(f"# {heading}\n")
    assert found, f"{page}: no {heading}"
    section = re.split(r"\n##+ ", below)[0]
    return re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)


def signed(body: bytes, secret: str = SECRET, event_id: str = "evt_1") -> dict[str, str]:
    now = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event_id}.{now}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": now,
        "webhook-signature": signature,
    }


@contextlib.contextmanager
def copied(program: str, name: str) -> Iterator[Path]:
    """A folder with a program as a reader has it: the example beside it, and an inbox that writes down what it is given."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(EXAMPLES / "verify.mjs", place)
        (place / "node_modules").symlink_to(PACKAGES)
        (place / "inbox.mjs").write_text(
            'import { appendFileSync } from "node:fs";\n'
            'export const store = (id, body) => appendFileSync("stored", `${id} ${body.toString("base64")}\\n`);\n'
        )
        (place / name).write_text(program)
        yield place


def stored(place: Path) -> list[tuple[str, bytes]]:
    lines = (place / "stored").read_text().split("\n")[:-1] if (place / "stored").exists() else []
    return [(event_id, base64.b64decode(body)) for event_id, body in (line.split(" ") for line in lines)]


class Python(unittest.TestCase):
    """`inbox` is the reader's own: here a list."""

    def run_page(self, heading: str) -> tuple[dict, list[tuple[str, bytes]]]:
        kept: list[tuple[str, bytes]] = []
        inbox = types.ModuleType("inbox")
        inbox.__dict__["store"] = lambda event_id, body: kept.append((event_id, body))
        (program,) = blocks("receivers.md", heading)
        names: dict = {"__name__": "page"}
        with mock.patch.dict(sys.modules, inbox=inbox), mock.patch.dict(os.environ, WEBHOOK_SECRETS=f"{OTHER} {SECRET}"):
            exec(compile(program, heading, "exec"), names)
        return names, kept

    def test_flask(self):
        names, kept = self.run_page("Flask")
        client = Client(names["app"])
        for secret in (SECRET, OTHER):
            self.assertEqual(client.post("/webhooks", data=BODY, headers=signed(BODY, secret)).status_code, 204)
        self.assertEqual(kept, [("evt_1", BODY)] * 2)
        again = json.dumps(json.loads(BODY)).encode()
        self.assertEqual(client.post("/webhooks", data=again, headers=signed(BODY)).status_code, 401)
        self.assertEqual(client.post("/webhooks", data=BODY).status_code, 401)
        self.assertEqual(len(kept), 2)

    def test_what_is_sent_for_a_try_is_taken(self):
        names, kept = self.run_page("Flask")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server("127.0.0.1", 0, names["app"])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            said = sent_for_a_try(server.port)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        self.assertEqual(said, "204")
        self.assertEqual([event_id for event_id, _ in kept], ["evt_test"])

    def test_fastapi_is_python(self):
        (program,) = blocks("receivers.md", "FastAPI")
        tree = ast.parse(program)
        self.assertIn("receive", [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)])

    @unittest.skipUnless(importlib.util.find_spec("fastapi"), "needs FastAPI, which nothing here pins")
    def test_fastapi(self):
        names, _ = self.run_page("FastAPI")
        self.assertIn("/webhooks", [route.path for route in names["app"].routes])

    def test_an_event_that_comes_again_is_worked_on_once(self):
        program = blocks("api.md", "Duplicates")[0]
        names: dict = {"sqlite3": sqlite3}
        exec(compile(program, "once", "exec"), names)
        once: Callable = names["once"]
        database = sqlite3.connect(":memory:")
        self.addCleanup(database.close)
        database.executescript("CREATE TABLE seen (id TEXT PRIMARY KEY); CREATE TABLE paid (invoice TEXT)")

        def work() -> None:
            database.execute("INSERT INTO paid VALUES ('4711')")

        def crash() -> None:
            work()
            raise OSError("the function died")

        with self.assertRaises(OSError):
            once(database, "evt_1", crash)
        self.assertEqual(database.execute("SELECT * FROM paid").fetchall(), [], "neither is left of what crashed")
        self.assertEqual([once(database, "evt_1", work), once(database, "evt_1", work)], [True, False])
        self.assertEqual(len(database.execute("SELECT * FROM paid").fetchall()), 1)


def sent_for_a_try(port: int) -> str:
    (program,) = blocks("receivers.md", "Testing on your machine")
    environment = os.environ | {"URL": f"http://127.0.0.1:{port}/webhooks", "WEBHOOK_SECRETS": SECRET}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    return (done.stdout + done.stderr).strip()


@unittest.skipUnless(shutil.which("node"), "needs Node")
class JavaScript(unittest.TestCase):
    @unittest.skipUnless((PACKAGES / "express").exists(), "needs tests/verifiers/node_modules, which `make test` installs")
    def test_express(self):
        (program,) = blocks("receivers.md", "Express")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = os.environ | {"PORT": str(port), "WEBHOOK_SECRETS": f"{OTHER} {SECRET}"}
        with copied(program, "page.mjs") as place:
            server = subprocess.Popen(["node", "page.mjs"], cwd=place, env=environment)
            try:
                self.wait_for(port)
                self.assertEqual(sent_for_a_try(port), "204")
                self.assertEqual(self.post(port, BODY, signed(BODY)), 204)
                again = json.dumps(json.loads(BODY)).encode()
                self.assertEqual(self.post(port, again, signed(BODY)), 401)
                self.assertEqual(stored(place)[1:], [("evt_1", BODY)])
            finally:
                server.kill()
                server.wait()

    def wait_for(self, port: int) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        self.fail("the page's server does not listen")

    def post(self, port: int, body: bytes, headers: dict[str, str]) -> int:
        lines = [
            f"POST /webhooks HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(body)}\r\n",
            *(f"{name}: {value}\r\n" for name, value in headers.items()),
        ]
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            connection.sendall("".join(lines).encode() + b"\r\n" + body)
            return int(connection.makefile("rb").readline().split()[1])

    def test_next(self):
        (program,) = blocks("receivers.md", "Next.js")
        ask = """
        import { readFileSync } from "node:fs";
        import { POST } from "./route.mjs";
        for (const { body, headers } of JSON.parse(readFileSync(0))) {
          const bytes = Buffer.from(body, "base64");
          const answer = await POST(new Request("http://localhost/webhooks", { method: "POST", body: bytes, headers }));
          console.log(answer.status);
        }
        """
        again = json.dumps(json.loads(BODY)).encode()
        tries = [(BODY, signed(BODY)), (BODY, signed(BODY, OTHER)), (again, signed(BODY)), (BODY, {})]
        given = json.dumps([{"body": base64.b64encode(body).decode(), "headers": headers} for body, headers in tries])
        with copied(program, "route.mjs") as place:
            done = self.node(place, ask, given, WEBHOOK_SECRETS=f"{OTHER} {SECRET}")
            self.assertEqual(done.stdout.split(), ["204", "204", "401", "401"], done.stderr)
            self.assertEqual(stored(place), [("evt_1", BODY)] * 2)

    def test_an_event_that_comes_again_is_worked_on_once(self):
        program = blocks("api.md", "Duplicates")[1]
        # As much of a database's client as the page calls: a transaction that fails leaves nothing behind.
        ask = """
        import { once } from "./once.mjs";
        const seen = new Set();
        const database = {
          async transaction(work) {
            const added = [];
            const query = async (_, [id]) => {
              if (seen.has(id)) return { rowCount: 0 };
              seen.add(id);
              added.push(id);
              return { rowCount: 1 };
            };
            try { return await work({ query }); } catch (error) { added.forEach((id) => seen.delete(id)); throw error; }
          },
        };
        let done = 0;
        await once(database, "evt_1", () => { throw new Error("died"); }).catch(() => console.log("died"));
        console.log(await once(database, "evt_1", () => { done += 1; }), await once(database, "evt_1", () => { done += 1; }));
        console.log(done);
        """
        with copied(program, "once.mjs") as place:
            done = self.node(place, ask, "")
        self.assertEqual(done.stdout.split(), ["died", "true", "false", "1"], done.stderr)

    def node(self, place: Path, program: str, given: str, **environment: str) -> subprocess.CompletedProcess:
        command = ["node", "--input-type=module", "--eval", program]
        return subprocess.run(
            command, cwd=place, env=os.environ | environment, input=given, capture_output=True, text=True, check=False
        )


class Others(unittest.TestCase):
    """As far as this machine has their tools: that they are programs at all."""

    def check(self, tool: str, arguments: list[str], name: str, program: str) -> None:
        if not shutil.which(tool):
            self.skipTest(f"needs {tool}")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / name).write_text(program)
            done = subprocess.run([tool, *arguments, name], cwd=folder, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), program)

    def test_go(self):
        for program in (*blocks("receivers.md", "Go"), (EXAMPLES / "verify.go").read_text()):
            self.check("gofmt", ["-l", "-e"], "page.go", program)

    def test_php(self):
        for program in (*blocks("receivers.md", "PHP"), (EXAMPLES / "verify.php").read_text()):
            self.check("php", ["-l"], "page.php", program)

    def test_ruby(self):
        for program in (*blocks("receivers.md", "Ruby"), (EXAMPLES / "verify.rb").read_text()):
            self.check("ruby", ["-c"], "page.rb", program)

    def test_rust(self):
        (program,) = blocks("receivers.md", "Rust")
        self.check("rustfmt", ["--check", "--edition", "2024", "--config", "max_width=128"], "page.rs", program)


class Bodies(unittest.TestCase):
    """What the page shows of each dialect verifies, and is what a receiver gets: compact JSON with its fields in their order."""

    FIELDS = {
        "webhook-signature": ["type", "timestamp", "data"],
        "x-nur-signature": ["id", "event", "data", "timestamp", "webhook_id"],
        "x-nouvel-signature": [
            *("event", "jobId", "status", "totalProjects", "completedProjects", "failedProjects", "projects"),
        ],
        "x-netraflow-signature": ["event", "job_id", "status", "completed_at", "credits_charged"],
    }

    def test_they_verify_and_are_whole(self):
        shown = blocks("api.md", "What each dialect sends")
        self.assertEqual(len(shown), len(self.FIELDS))
        for block, (header, fields) in zip(shown, self.FIELDS.items(), strict=True):
            with self.subTest(header):
                head, _, body = block.rstrip("\n").partition("\n\n")
                headers = dict(line.split(": ", 1) for line in head.splitlines())
                if header == "webhook-signature":
                    sent = float(headers["webhook-timestamp"])
                    self.assertTrue(is_authentic_standard(body.encode(), headers, SECRET, sent))
                else:
                    self.assertTrue(is_authentic(body.encode(), headers[header], WHOLE))
                self.assertEqual(list(json.loads(body)), fields)
                self.assertEqual(json.dumps(json.loads(body), separators=(",", ":")), body)


if __name__ == "__main__":
    unittest.main()
