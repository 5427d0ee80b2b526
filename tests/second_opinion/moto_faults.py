"""Where moto is wrong against AWS, put right. Each has its reason, which a run prints."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable

from expressions import NAMES, expressions_in, written
from http1 import Message, answer
from statements import Insert
from tables import Tables

Forward = Callable[[str, dict], Awaitable[Message]]
INSERTS = "BatchExecuteStatement: moto cannot parse PartiQL's INSERT ... VALUE; here each is a conditional put, which moto judges"
UPDATED = (
    "UpdateItem: of UPDATED_NEW moto leaves out what was set to the value that it had; here it is all that the update writes"
)
SECRETS = "GetSecretValue: moto makes up the six characters at the end of a secret's ARN; here the template's ARN leads to moto's"


class MotoFaults:
    """`met` are the reasons that a run has come upon."""

    def __init__(self, tables: Tables, secrets: dict[str, str]) -> None:
        """`secrets` are moto's ARNs by the template's."""
        self._tables, self._secrets = tables, secrets
        self.met: set[str] = set()

    async def answered(self, operation: str, request: dict, forward: Forward) -> Message | None:
        """What AWS would say to a call that moto cannot answer; nothing where it can."""
        if operation == "BatchExecuteStatement":
            self.met.add(INSERTS)
            inserts = [self._insert(Insert.of(statement), forward) for statement in request["Statements"]]
            return _said({"Responses": await asyncio.gather(*inserts)})
        if operation == "UpdateItem" and request.get("ReturnValues") == "UPDATED_NEW":
            self.met.add(UPDATED)
            return await _updated(request, forward)
        return None

    def mended(self, message: Message, operation: str, request: dict) -> Message:
        """A request as moto understands it."""
        if operation == "GetSecretValue" and request["SecretId"] in self._secrets:
            self.met.add(SECRETS)
            body = json.dumps(request | {"SecretId": self._secrets[request["SecretId"]]}).encode()
            return dataclasses.replace(message, body=body)
        return message

    async def _insert(self, insert: Insert, forward: Forward) -> dict:
        key = self._tables.partition_key(insert.table)
        put = {
            "TableName": insert.table,
            "Item": insert.item,
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": key},
        }
        said = await forward("PutItem", put)
        if said.status == 200:
            return {"TableName": insert.table}
        told = json.loads(said.body)
        code = told["__type"].rsplit("#", 1)[-1]
        if code != "ConditionalCheckFailedException":
            raise ValueError(f"moto refuses an insert: {told}")
        return {"TableName": insert.table, "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}}


async def _updated(request: dict, forward: Forward) -> Message:
    said = await forward("UpdateItem", request | {"ReturnValues": "ALL_NEW"})
    if said.status != 200:
        return said
    (update,) = (one for one in expressions_in(request) if one.kind == "UpdateExpression")
    paths = set(written(update, request.get(NAMES, {})))
    if any("." in path for path in paths):
        raise ValueError(f"what is updated within an attribute: {paths}")
    told = json.loads(said.body)
    attributes = told.get("Attributes", {})
    return _said(told | {"Attributes": {name: value for name, value in attributes.items() if name in paths}})


def _said(told: dict) -> Message:
    return answer(200, json.dumps(told).encode(), content_type="application/x-amz-json-1.0")
