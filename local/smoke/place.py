"""A place for a run: a tenant by an external id of the smoke test's own, of which there are a few.

A run that died leaves its tenant there, where the next one finds it; one that ends leaves a name that is in use until sweeps have
taken the tenant away. So a run takes the first place that is free."""

import datetime
from collections.abc import Callable

from api import Api
from smoke.rows import Hindered
from step import Failed, say

NAME = "postrider-smoke"
PLACES = 5
# Longer than any run takes: what is older is nobody's any more.
LEFT_BEHIND = datetime.timedelta(minutes=15)


def take(operator: Api, note: Callable[[int], None]) -> tuple[int, str]:
    """A place, and its new tenant's id. What earlier runs have left is removed on the way. `note` hears of a place before there
    is anything, since whoever is interrupted never hears of what he asked for; and of 0 where it was another's."""
    remove_keys(operator, lambda key: key["name"].startswith(f"{NAME}-") and is_left_behind(key))
    for place in range(1, PLACES + 1):
        path = tenant_at(place)
        status, there = operator.ask("GET", path)
        if status == 404:
            note(place)
            status, made = operator.ask("PUT", path, {"name": "Postrider's smoke test", "plan": "free"})
            if status == 201:
                return place, made["id"]
            # Another run was quicker.
            if status in (200, 409):
                note(0)
            else:
                raise Failed(f"PUT {path} answered {status}: {made}")
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


def tenant_at(place: int) -> str:
    """The path of a place's tenant."""
    return f"/v1/tenants/ext:{NAME}-{place}"


def remove_keys(operator: Api, which: Callable[[dict], bool]) -> list[bool]:
    """Deletes those of the provider's keys with a name that are meant; of each, whether it is gone."""
    path: str | None = "/v1/keys"
    gone = []
    while path:
        page = operator.call("GET", path)
        for key in page["keys"]:
            if key.get("name") and which(key):
                status, _ = operator.ask("DELETE", f"/v1/keys/{key['id']}")
                gone.append(status in (204, 404))
        following = page["pagination"]
        path = f"/v1/keys?cursor={following['next_cursor']}" if following["has_more"] else None
    return gone


def is_left_behind(made: dict) -> bool:
    return instant(made["created_at"]) < datetime.datetime.now(datetime.UTC) - LEFT_BEHIND


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
