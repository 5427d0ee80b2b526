"""`make env F=deliver`: a function's environment in the stack that runs, for a shell to take over and run it by hand."""

import os
import shlex

from deployment import FUNCTIONS
from running import Running
from step import Failed, main, say


def run() -> None:
    stack = Running()
    name = os.environ.get("F") or ""
    if not name:
        raise Failed(f"make env F=...: {', '.join(FUNCTIONS)}")
    settings = stack.client("lambda").get_function_configuration(FunctionName=stack.function(name))
    # Beside its own what the emulator gives to all: where AWS is, and whom to trust.
    given = settings["Environment"]["Variables"] | {
        "AWS_ENDPOINT_URL": stack.described["endpoint_url"],
        "AWS_REGION": stack.described["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SSL_CERT_FILE": stack.described["receiver_tls"]["ca"],
    }
    for variable, value in sorted(given.items()):
        say(f"export {variable}={shlex.quote(value)}")


if __name__ == "__main__":
    main(run)
