"""EventBridge's limits that its model does not hold."""

import json
from collections.abc import Iterator

MOST_ENTRIES = 10
LARGEST = 1024 * 1024


def complaints(request: dict) -> Iterator[str]:
    entries = request.get("Entries", [])
    if not 1 <= len(entries) <= MOST_ENTRIES:
        yield f"PutEvents has {len(entries)} entries, where 1 to {MOST_ENTRIES} may be"
    size = sum(len(str(entry.get(name, "")).encode()) for entry in entries for name in ("Source", "DetailType", "Detail"))
    if size > LARGEST:
        yield f"PutEvents has {size} bytes, where {LARGEST} are the most"
    for entry in entries:
        # Without them an entry is refused by itself, in an answer that succeeds.
        yield from (f"PutEvents: an entry has no {name}" for name in ("Source", "DetailType", "Detail") if not entry.get(name))
        if entry.get("Source", "").startswith("aws."):
            yield "PutEvents: a source of AWS's own"
        try:
            is_object = isinstance(json.loads(entry.get("Detail", "{}")), dict)
        except ValueError:
            is_object = False
        if not is_object:
            yield "PutEvents: a detail that is no object"
