"""EventBridge Scheduler's limits that its model does not hold."""

import datetime
import json
import re
from collections.abc import Iterator

AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
LARGEST_INPUT = 256 * 1024


def complaints(request: dict, now: datetime.datetime) -> Iterator[str]:
    expression = request.get("ScheduleExpression", "")
    found = AT.fullmatch(expression)
    if found is None:
        yield f"{expression!r} is no time of a schedule's"
    elif request.get("ScheduleExpressionTimezone", "UTC") != "UTC":
        yield f"the time zone {request['ScheduleExpressionTimezone']}"
    elif datetime.datetime.fromisoformat(found[1]).replace(tzinfo=datetime.UTC) <= now:
        yield f"{expression} has passed"
    target = request.get("Target", {})
    if len(target.get("Input", "").encode()) > LARGEST_INPUT:
        yield f"an input of {len(target['Input'].encode())} bytes, where {LARGEST_INPUT} are the most"
    try:
        json.loads(target.get("Input", "null"))
    except ValueError:
        yield "an input that is no JSON"
