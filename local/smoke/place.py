"""A place for a run: a tenant by an external id of the smoke test's own, of which there are a few.

A run that died leaves its tenant there, where the next one finds it; one that ends leaves a name that is in use until sweeps have
taken the tenant away. So a run takes the first place that is free."""

import datetime

from api import Api
from smoke.rows import Hindered
from step import Failed, say

NAME = "postrider-smoke"
PLACES = 5
# Longer than any run takes: what is older is nobody's any more.
LEFT_BEHIND = datetime.timedelta(minutes=15)


def take(operator: Api) -> tuple[int, str]:
    """A place, and its new tenant's id. What earlier runs have left is removed on the way."""
    remove_keys(operator)
    for place in range(1, PLACES + 1):
        path = f"/v1/tenants/ext:{NAME}-{place}"
        status, there = operator.ask("GET", path)
        if status == 404:
            status, made = operator.ask("PUT", path, {"name": "Postrider's smoke test", "plan": "free"})
            # 200 is another run's that was quicker.
            if status == 201:
                return place, made["id"]
        elif status == 200 and there["status"] != "deleting" and is_left_behind(there):
            say(f"    an earlier run has left its tenant {there['id']}: it is deleted now")
            operator.call("DELETE", path, expect=202)
        elif status != 200:
            raise Failed(f"GET {path} answered {status}: {there}")
    raise Hindered(
        f"{PLACES} runs have been here within a few minutes, and sweeps have not taken their tenants away yet "
        f"(GET /v1/tenants/ext:{NAME}-1 "
        "tells how far they are): try again in ten minutes"
    )


def remove_keys(operator: Api) -> None:
    """Those of runs that died; by then they have expired."""
    path: str | None = "/v1/keys"
    while path:
        page = operator.call("GET", path)
        for key in page["keys"]:
            if key.get("name", "").startswith(f"{NAME}-") and is_left_behind(key):
                operator.ask("DELETE", f"/v1/keys/{key['id']}")
        following = page["pagination"]
        path = f"/v1/keys?cursor={following['next_cursor']}" if following["has_more"] else None


def is_left_behind(made: dict) -> bool:
    return instant(made["created_at"]) < datetime.datetime.now(datetime.UTC) - LEFT_BEHIND


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
