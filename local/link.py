"""`make link`: a link to the portal of the stack that runs, for a tenant of its own to try it out with."""

from api import Api
from running import Running
from step import main, say

# The tenant is the same each time: what somebody has tried is still there.
TENANT = "/v1/tenants/ext:demo"


def run() -> None:
    say(link(Running().described))


def link(description: dict) -> str:
    """It works once, within five minutes; its session may do everything that a customer may, for a day."""
    operator = Api(description["api_url"], description["admin_key"])
    operator.ask("PUT", TENANT, {"name": "Demo", "plan": "pro"})
    return str(operator.call("POST", f"{TENANT}/portal", {"expires_in": 86_400}, expect=201)["url"])


if __name__ == "__main__":
    main(run)
