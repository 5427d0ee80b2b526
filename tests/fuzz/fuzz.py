"""`make fuzz`: calls that nobody thought of, made up by Schemathesis from the document, with each kind of key and with none.

Whatever is asked, the answer is no 5xx, its status, its type, its headers and its body are as the document has them, and what the
document does not let anybody send is refused."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "openapi"))

from document import document, operations

from api import Api
from cast import Caller, cast, suspend
from running import Running
from step import Failed, main, say, step
from told import told

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
# Calls to each operation that are made up at random, beside those at the bounds of what it takes.
EXAMPLES = os.environ.get("EXAMPLES", "8")
SEED = os.environ.get("SEED", "1")


def run() -> None:
    stack = Running().described
    say(f"    seed {SEED} (SEED=n for others), {EXAMPLES} examples (EXAMPLES=n)")
    admin = Api(stack["api_url"], stack["admin_key"])
    callers = cast(admin)
    try:
        bad = [caller.kind for caller in callers if not stands(caller, stack["api_url"])]
    finally:
        suspend(admin, callers)
    if bad:
        raise Failed(f"the API answers other than docs/openapi.json says, to: {', '.join(bad)}")


def stands(caller: Caller, url: str) -> bool:
    with step(f"call everything with {caller.kind}"), tempfile.TemporaryDirectory() as folder:
        schema = Path(folder) / "openapi.json"
        schema.write_text(json.dumps(told(caller)))
        (Path(folder) / "schemathesis.toml").write_text(configured(caller))
        command = ["schemathesis", "run", str(schema), "--url", url, "--checks", ",".join(CHECKS)]
        command += ["--seed", SEED, "--max-examples", EXAMPLES, "--phases", "fuzzing", "--workers", "4"]
        command += ["--generation-database", "none", "--warnings", "off", "--no-color", "--no-shrink"]
        for name, value in caller.headers.items():
            command += ["--header", f"{name}: {value}"]
        program = Path(sys.executable).parent / command[0]
        # It keeps notes of its own where it stands.
        return subprocess.run([program, *command[1:]], cwd=folder, check=False).returncode == 0


def configured(caller: Caller) -> str:
    """Schemathesis' configuration: one call is enough where a key is refused, whatever is asked.

    No tenant is deleted of which it has heard in an answer, or the other callers would be gone."""
    names = [name for name, _ in operations(document())]
    refused = [name for name in names if not caller.is_at_home(name.split()[1])]
    told = [(name, "generation.max-examples = 1") for name in refused]
    told.append(("DELETE /v1/tenants/{id}", "phases.fuzzing.extra-data-sources.responses = false"))
    # Or all calls of a visitor after this one would be refused.
    told.append(("DELETE /v1/portal/session", "enabled = false"))
    return "\n".join(f"[[operations]]\ninclude-name = {json.dumps(name)}\n{said}\n" for name, said in told)


if __name__ == "__main__":
    main(run)
