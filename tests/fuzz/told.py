"""The API's document as a caller's calls are made up from it: about things that there are, to webhooks that nobody can reach."""

import json
import re

from document import document, operations

from cast import Caller

# Where callers say where to send.
SENT_URLS = [("CreateWebhook", "url"), ("ChangeWebhook", "url"), ("StartTask", "webhook_url"), ("Generate", "webhookUrl")]


def told(caller: Caller) -> dict:
    whole = json.loads(json.dumps(document()).replace("example.com", "example.invalid"))
    schemas = whole["components"]["schemas"]
    schemas["Unreachable"] = {"type": "string", "pattern": r"^https://[a-z]{1,20}\.invalid/[a-z]{0,20}$"}
    for sent, field in SENT_URLS:
        schemas[sent]["properties"][field] = {"$ref": "#/components/schemas/Unreachable"}
    # Of their own: or who deletes `ext:0` deletes the tenant that is to stay, which somebody has called so.
    for sent in ("CreateTenant", "ChangeTenant"):
        schemas[sent]["properties"]["external_id"] = {"type": "string", "pattern": r"^fuzz-[a-z0-9]{12}$"}
    for name, operation in operations(whole):
        path = name.split()[1]
        for parameter in operation.get("parameters", []):
            is_to_go = name == f"DELETE {_up_to(path, parameter['name'])}"
            if parameter["in"] == "path" and (there := named(caller, path, parameter["name"], is_to_go)):
                parameter["schema"] = {"anyOf": [{"type": "string", "enum": there}, parameter["schema"]]}
    if tenants := caller.things.get("tenant_id"):
        schemas["PublishEvent"]["properties"]["tenant_id"] = {"type": "string", "enum": tenants}
    return whole


def named(caller: Caller, path: str, parameter: str, is_to_go: bool) -> list[str]:
    """What there is that a parameter may name. The first of each is there to be deleted, and the others to stay."""
    there = caller.things.get(_up_to(path, parameter), [])
    return there if len(there) < 2 else there[:1] if is_to_go else there[1:]


def _up_to(path: str, parameter: str) -> str:
    """The beginning of a path, to a parameter of it."""
    return re.sub(rf"({{{parameter}}}).*", r"\1", path)
