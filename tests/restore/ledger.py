"""Everything that the API shows of some tenants: what a restored stack has to show as well."""

from dataclasses import dataclass
from typing import Any

from api import Api


@dataclass
class Owner:
    """A tenant by its key, which is good for every stack that has its rows."""

    tenant: str
    key: str


def shown(api: str, owners: list[Owner]) -> dict[str, Any]:
    """By their paths."""
    told: dict[str, Any] = {}
    for owner in owners:
        caller = Api(api, owner.key)
        for webhook in listed(caller, "/v1/webhooks?limit=100", "webhooks"):
            told[f"{owner.tenant}, webhook {webhook['id']}"] = caller.call("GET", f"/v1/webhooks/{webhook['id']}")
            for delivery in listed(caller, f"/v1/webhooks/{webhook['id']}/deliveries?limit=100", "deliveries"):
                told[f"{owner.tenant}, delivery {delivery['id']}"] = caller.call("GET", f"/v1/deliveries/{delivery['id']}")
        for event in listed(caller, "/v1/events?limit=100", "events"):
            told[f"{owner.tenant}, event {event['id']}"] = caller.call("GET", f"/v1/events/{event['id']}")
    return told


def listed(caller: Api, path: str, what: str) -> list[dict]:
    """All pages of a list. A page may be empty while there are more."""
    found, cursor = [], ""
    while True:
        page = caller.call("GET", path + cursor)
        found += page[what]
        if not page["pagination"]["has_more"]:
            return found
        cursor = f"&cursor={page['pagination']['next_cursor']}"


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What one shows and the other does not, or otherwise."""
    return [
        f"{name}: {before.get(name)} became {after.get(name)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
