"""The front of a local stack: what comes by TLS is handed on as it came, and what is answered comes back as it is."""

import http.server
import json
import ssl
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from authority import Authority
from smoke.front import Front


class Behind(http.server.BaseHTTPRequestHandler):
    """Tells what it was sent, with the status that the path ends with."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = json.dumps({"path": self.path, "body": body.decode(), "headers": headers}).encode()
        self.send_response(int(self.path.rsplit("/", 1)[-1]))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Fronts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.authority = Authority(Path(folder.name))
        self.authority.make()
        self.behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind)
        threading.Thread(target=self.behind.serve_forever, daemon=True).start()
        self.addCleanup(self.behind.server_close)
        self.addCleanup(self.behind.shutdown)

    def post(self, url: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        trusting = ssl.create_default_context(cafile=str(self.authority.ca))
        request = urllib.request.Request(url, method="POST", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, context=trusting, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def test_bytes_headers_paths_and_statuses_pass_as_they_are(self):
        port = self.behind.server_address[1]
        with Front(self.authority.as_json(), f"http://127.0.0.1:{port}/stage") as front:
            self.assertRegex(front.origin, r"^https://localhost:\d+$")
            for status in (200, 401, 503):
                path = f"/v1/smoke/receive/k1.a-b_c/{status}"
                found, text = self.post(front.origin + path, b'{"a":1.50}', **{"webhook-signature": "v1,a= v1,b="})
                told = json.loads(text)
                self.assertEqual((found, told["path"], told["body"]), (status, f"/stage{path}", '{"a":1.50}'))
                self.assertEqual(told["headers"]["webhook-signature"], "v1,a= v1,b=")

    def test_that_nobody_is_behind_is_an_answer(self):
        self.behind.shutdown()
        self.behind.server_close()
        with Front(self.authority.as_json(), f"http://127.0.0.1:{self.behind.server_address[1]}") as front:
            self.assertEqual(self.post(front.origin + "/", b"")[0], 502)


if __name__ == "__main__":
    unittest.main()
