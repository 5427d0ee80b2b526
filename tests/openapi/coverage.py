"""What the end-to-end tests have seen of the document: each operation, each status that it documents.

Every process of theirs notes what it saw in a folder beside the description of its stack (`tests/e2e/support/openapi.rs`). Called
with those folders, this adds it up, prints a line for each operation, and fails where something is missing."""

import sys
from pathlib import Path

from document import document, operations

# What no test brings about, and why: by status alone, or by operation and status.
UNSEEN = {
    "413": "the gateway's own, for requests that the emulator takes; those of our own are named below",
    "429": "the gateway's own, which the emulator does not throttle; those of our own are named below",
    "500": "what fails within is provoked by the tests that disturb a stack, whose answers are not held to the document",
    "503": "as 500",
    "changeWebhook 409": "four changes of others have to come between: a unit test of its handler has them",
    "deleteWebhook 409": "as changeWebhook",
    "enableWebhook 409": "as changeWebhook",
    "disableWebhook 409": "as changeWebhook",
    "changeEventType 409": "as changeWebhook",
    "deleteEventType 409": "as changeWebhook",
    "listWebhooks 422": "takes thousands of webhooks: a unit test of its handler has them",
    "startTask 404": "takes an Idempotency-Key that outlives its job, which is kept for longer",
}
# Of those, what has a meaning of our own and so has to be seen.
OUR_OWN = ("413", "429")


def seen(folders: list[Path]) -> set[tuple[str, str]]:
    """Operations with statuses."""
    files = [file for folder in folders for file in folder.glob("*.seen")]
    lines = [line.split() for file in files for line in file.read_text().splitlines()]
    return {(operation, status) for operation, status in lines}


def has_meaning_of_our_own(status: str, answer: dict) -> bool:
    """Whether a status that the gateway answers by itself is also one of the operation's own."""
    return status in OUR_OWN and "$ref" not in answer


def missing(found: set[tuple[str, str]]) -> list[str]:
    """What should have been seen and was not."""
    wanted = [
        (operation["operationId"], status)
        for _, operation in operations(document())
        for status, answer in operation["responses"].items()
        if status not in UNSEEN or has_meaning_of_our_own(status, answer)
    ]
    lacking = [(operation, status) for operation, status in wanted if (operation, status) not in found]
    return [name for operation, status in lacking if (name := f"{operation} {status}") not in UNSEEN]


def main() -> None:
    found = seen([Path(folder) for folder in sys.argv[1:]])
    for name, operation in operations(document()):
        statuses = [status if (operation["operationId"], status) in found else f"({status})" for status in operation["responses"]]
        sys.stdout.write(f"{operation['operationId']:24} {' '.join(statuses):40} {name}\n")
    documented = {(o["operationId"], status) for _, o in operations(document()) for status in o["responses"]}
    sys.stdout.write(
        f"{len(found & documented)} of {len(documented)} documented answers were seen; in brackets those that were not\n"
    )
    if lacking := missing(found):
        sys.exit(
            "no test has seen:\n" + "\n".join(lacking) + "\nwrite one, or say in tests/openapi/coverage.py why there is none"
        )


if __name__ == "__main__":
    main()
