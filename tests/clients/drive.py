"""Each client that `make clients` makes drives the stack that runs, with a program as a customer would write it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from standardwebhooks import Webhook

import clients
from api import Api
from receiver import Receiver
from running import Running
from step import Failed, main, step

HERE = Path(__file__).parent
WITHIN = 10


def run() -> None:
    stack = Running().described
    clients.make()
    compile_story()
    in_python: clients.Command = [clients.VENV / "bin" / "python", HERE / "story.py"]
    in_typescript: clients.Command = ["node", clients.TYPESCRIPT / "story.js"]
    for language, program in (("Python", in_python), ("TypeScript", in_typescript)):
        with step(f"register, publish, look up, retry and rotate in {language}"):
            drive(stack, program)


def compile_story() -> None:
    """By types as they were made: a field that a customer may not send, or is not answered, does not compile."""
    with step("compile the story in TypeScript"):
        shutil.copy(HERE / "story.ts", clients.TYPESCRIPT)
        strictly: clients.Command = [
            "--strict",
            "--skipLibCheck",
            "--target",
            "es2022",
            "--module",
            "nodenext",
            "--typeRoots",
            clients.TYPES,
        ]
        clients.call([clients.BIN / "tsc", *strictly, clients.TYPESCRIPT / "story.ts"])


def drive(stack: dict, program: clients.Command) -> None:
    admin = Api(stack["api_url"], stack["admin_key"])
    tenant = admin.call("POST", "/v1/tenants", {"name": "A client's", "plan": "pro"}, expect=201)["id"]
    scopes = ["webhooks:read", "webhooks:write", "events:write", "deliveries:read", "deliveries:write"]
    asked = {"dialect": "standard", "scopes": scopes}
    key = admin.call("POST", f"/v1/tenants/{tenant}/keys", asked, expect=201)["key"]
    with Receiver(stack["receiver_tls"]) as receiver:
        env = os.environ | {"API_URL": stack["api_url"], "API_KEY": key, "HOOK": receiver.url}
        env |= {"PYTHONPATH": str(clients.PYTHON)}
        done = subprocess.run(program, env=env, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failed("the program failed; above stands where")
        told = json.loads(done.stdout)
        for _ in range(2):
            received = receiver.wait(WITHIN)
            headers = {name.lower(): value for name, value in received.headers.items()}
            Webhook(told["secret"]).verify(received.body, headers)
            if headers["webhook-id"] != told["event"]:
                raise Failed(f"{headers['webhook-id']} came, and {told['event']} was published")


if __name__ == "__main__":
    main(run)
