"""SQS's limits that its model does not hold."""

import re
from collections.abc import Iterator

MOST_ENTRIES = 10
LARGEST = 1024 * 1024
LONGEST_DELAY = 900
LONGEST_VISIBILITY = 43_200
ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
GROUP = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")
# XML's characters, which are all that a message may hold.
FORBIDDEN = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def complaints(operation: str, request: dict) -> Iterator[str]:
    entries = request.get("Entries", [request])
    if operation.endswith("Batch"):
        if not 1 <= len(entries) <= MOST_ENTRIES:
            yield f"{operation} has {len(entries)} entries, where 1 to {MOST_ENTRIES} may be"
        ids = [entry.get("Id", "") for entry in entries]
        yield from (f"{operation}: the id {one!r} is none" for one in ids if ENTRY_ID.fullmatch(one) is None)
        if len(set(ids)) != len(ids):
            yield f"{operation}: two entries have one id"
    sizes = [len(entry["MessageBody"].encode("utf-8", "surrogatepass")) for entry in entries if "MessageBody" in entry]
    if sum(sizes) > LARGEST:
        yield f"{operation} has {sum(sizes)} bytes, where {LARGEST} are the most"
    for entry in entries:
        yield from (f"{operation}: {one}" for one in _of_entry(entry))
    yield from _of_receiving(operation, request)


def _of_entry(entry: dict) -> Iterator[str]:
    body = entry.get("MessageBody", "-")
    if not body:
        yield "a message is empty"
    if found := FORBIDDEN.search(body):
        yield f"a message holds {found[0]!r}, which SQS does not take"
    if not 0 <= entry.get("DelaySeconds", 0) <= LONGEST_DELAY:
        yield f"a delay of {entry['DelaySeconds']} s, where {LONGEST_DELAY} are the most"
    if not 0 <= (entry.get("VisibilityTimeout") or 0) <= LONGEST_VISIBILITY:
        yield f"a message hidden for {entry['VisibilityTimeout']} s, where {LONGEST_VISIBILITY} are the most"
    if "MessageGroupId" in entry and GROUP.fullmatch(entry["MessageGroupId"]) is None:
        yield f"the group {entry['MessageGroupId']!r}"
    if "MessageDeduplicationId" in entry:
        yield "a standard queue takes no deduplication id"


def _of_receiving(operation: str, request: dict) -> Iterator[str]:
    if operation == "ReceiveMessage":
        if not 1 <= request.get("MaxNumberOfMessages", 1) <= MOST_ENTRIES:
            yield f"{request['MaxNumberOfMessages']} messages at once, where {MOST_ENTRIES} are the most"
        if not 0 <= request.get("WaitTimeSeconds", 0) <= 20:
            yield f"a wait of {request['WaitTimeSeconds']} s, where 20 are the most"
