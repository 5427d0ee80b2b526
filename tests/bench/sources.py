"""What sets the deployed functions going, held still while the bench gives events itself."""

import contextlib
import time

from aws import client

WITHIN = 30


@contextlib.contextmanager
def held(stack: dict):
    """No event source of the stack moves inside; afterwards all is as before."""
    functions, events = client("lambda", stack["endpoint_url"]), client("events", stack["endpoint_url"])
    names = (stack["functions"]["fanout"], stack["functions"]["deliver"])
    mappings = [
        mapping["UUID"]
        for name in names
        for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    ]
    timers = [rule["Name"] for rule in events.list_rules()["Rules"] if rule.get("ScheduleExpression")]
    try:
        for timer in timers:
            events.disable_rule(Name=timer)
        _switch(functions, mappings, on=False)
        yield
    finally:
        _switch(functions, mappings, on=True)
        for timer in timers:
            events.enable_rule(Name=timer)


def _switch(functions, mappings: list[str], on: bool) -> None:
    for uuid in mappings:
        functions.update_event_source_mapping(UUID=uuid, Enabled=on)
    deadline = time.monotonic() + WITHIN
    wanted = "Enabled" if on else "Disabled"
    while any(functions.get_event_source_mapping(UUID=uuid)["State"] != wanted for uuid in mappings):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the event sources would not become {wanted.lower()}")
        time.sleep(0.1)
