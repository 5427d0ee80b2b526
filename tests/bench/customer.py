"""A customer of the stack: a tenant with its key; endpoints are made by the API, or copied where that takes long."""

import random
import string
from typing import Any

from api import Api
from aws import client

LETTERS = string.digits + string.ascii_letters


class Customer:
    """A tenant of its own, so that what one run leaves is nothing to the next."""

    def __init__(self, stack: dict) -> None:
        self.stack = stack
        operator = Api(stack["api_url"], stack["admin_key"])
        tenant = operator.call("POST", "/v1/tenants", {"name": "Bench", "plan": "pro"}, expect=201)
        wanted = {"dialect": "standard", "scopes": ["webhooks:write", "events:write"]}
        key = operator.call("POST", f"/v1/tenants/{tenant['id']}/keys", wanted, expect=201)
        # What the provider publishes no quota stops.
        provider = operator.call("POST", "/v1/keys", {"scopes": ["events:write", "deliveries:read"]}, expect=201)
        self.tenant_id, self.key, self.provider_key = tenant["id"], key["key"], provider["key"]
        self._api = Api(stack["api_url"], self.key)
        # The webhooks that a scenario begins with.
        self.made: list[str] = []

    def endpoints(self, url: str, event: str, count: int, retries: list[int] | None = None) -> list[str]:
        body = {"url": url, "events": [event]} | ({} if retries is None else {"retry_schedule": retries})
        return [self._api.call("POST", "/v1/webhooks/create", body, expect=201)["id"] for _ in range(count)]

    def copy(self, endpoint: str, event: str, count: int) -> None:
        """So many more like this one. None of them, nor it, has a secret then, since a sealed one is bound to its
        endpoint; no call of a delivery differs."""
        dynamodb = client("dynamodb", self.stack["endpoint_url"])
        table = self.stack["tables"]["config"]
        subscription = f"SUBSCRIPTION#{self.tenant_id}#{event}"
        keys = [(f"TENANT#{self.tenant_id}", f"WEBHOOK#{endpoint}"), (subscription, endpoint)]
        rows = [dynamodb.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"] for pk, sk in keys]
        rows[0].pop("secrets", None)
        puts = []
        for fresh in (endpoint, *(endpoint[:-8] + "".join(random.choices(LETTERS, k=8)) for _ in range(count))):
            puts += [{"PutRequest": {"Item": _renamed(row, endpoint, fresh)}} for row in rows]
        for begin in range(0, len(puts), 25):
            left = {table: puts[begin : begin + 25]}
            while left:
                left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {name: _renamed(member, old, new) for name, member in value.items()}
    if isinstance(value, list):
        return [_renamed(member, old, new) for member in value]
    return value
