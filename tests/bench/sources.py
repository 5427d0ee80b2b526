"""What sets the deployed functions going, stilled for good: the bench gives events itself."""

import time

from aws import client

WITHIN = 30


def still(stack: dict) -> None:
    """From here on no queue, stream or timer of the stack moves anything."""
    functions, events = client("lambda", stack["endpoint_url"]), client("events", stack["endpoint_url"])
    for rule in events.list_rules()["Rules"]:
        if rule.get("ScheduleExpression"):
            events.disable_rule(Name=rule["Name"])
    mappings = []
    for name in ("fanout", "deliver"):
        listed = functions.list_event_source_mappings(FunctionName=stack["functions"][name])
        mappings += [mapping["UUID"] for mapping in listed["EventSourceMappings"]]
    for uuid in mappings:
        functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    deadline = time.monotonic() + WITHIN
    while any(functions.get_event_source_mapping(UUID=uuid)["State"] != "Disabled" for uuid in mappings):
        if time.monotonic() > deadline:
            raise TimeoutError("the event sources would not be stilled")
        time.sleep(0.1)
