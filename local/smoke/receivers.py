"""Receivers: the API of the stack itself, at paths that hold what each of them is to do."""

import dataclasses

from api import Api
from step import Failed

# For as long as there is one.
ALWAYS = 600


@dataclasses.dataclass(frozen=True)
class Receiver:
    """Where to send, and the secret that is verified with there."""

    url: str
    secret: str


class Receivers:
    """Makes them, by the operator's key."""

    def __init__(self, operator: Api, address: str) -> None:
        """`address` is where webhooks reach the API."""
        self._operator = operator
        self._address = address

    def make(self, *, refuses: bool = False) -> Receiver:
        """One that verifies what comes; or one that answers 503, whatever comes."""
        body = {"refuse_seconds": ALWAYS} if refuses else {}
        status, told = self._operator.ask("POST", "/v1/smoke/receivers", body)
        if status == 404:
            raise Failed("the stack's version has no receivers for a smoke test yet: deploy this one first")
        if status != 201:
            raise Failed(f"no receiver was made: POST /v1/smoke/receivers answered {status}: {told}")
        return Receiver(self._address + told["path"], told["secret"])
