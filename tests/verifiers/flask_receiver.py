"""Nur's page as a running receiver: its route in a Flask app, served as `app.run()` serves it, over TLS.

    python -u flask_receiver.py CERT KEY [PAGE]

Says `listening PORT`, then what the page's handler prints. Where the page is not at hand, a program of the same calls
stands in for it.
"""

import logging
import sys
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from nur_page import FIRST, numbered_lines, reindent

STAND_IN = """
import hashlib
import hmac
from flask import request

@app.route("/webhooks/nur", methods=["POST"])
def handle_webhook():
    expected = hmac.new(b"whsec_your_secret", request.data, hashlib.sha256).hexdigest()
    if request.headers.get("X-Nur-Signature") != f"sha256={expected}":
        raise ValueError("Invalid webhook signature")
    print(f"Received event: {request.json['event']}")
    return "", 200
"""


def main(cert: str, key: str, page: str | None = None) -> None:
    program = reindent(numbered_lines(Path(page).read_text(encoding="utf-8"), FIRST)) if page else STAND_IN
    app = Flask("page")
    exec(compile(program, page or "stand-in", "exec"), {"app": app, "__name__": "page"})
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=(cert, key))
    print(f"listening {server.port}")
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
