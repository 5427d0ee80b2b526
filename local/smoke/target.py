"""Which stack is meant, and how it is reached: one on AWS by its name, or one of `make up` by its run directory."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from running import Running
from smoke.front import Front
from step import Failed


class Target(Protocol):
    """A stack's whereabouts."""

    name: str
    # What only AWS does, nobody looks for elsewhere.
    is_aws: bool

    def client(self, service: str) -> Any:
        """A client of a service of AWS."""

    def api_url(self, outputs: dict[str, str]) -> str:
        """Where the API is."""

    def admin_key(self, outputs: dict[str, str]) -> str:
        """The operator's key."""

    def receivers(self, api_url: str) -> contextlib.AbstractContextManager[str]:
        """The address behind which webhooks reach the API."""


class OnAws:
    """By its name, with the credentials and the region of whoever asks."""

    is_aws = True

    def __init__(self, name: str) -> None:
        self.name = name

    def client(self, service: Any) -> Any:
        try:
            return boto3.client(service)
        except BotoCoreError as error:
            raise Failed(f"{error}: name your profile (AWS_PROFILE) and the stack's region (AWS_REGION)") from None

    def api_url(self, outputs: dict[str, str]) -> str:
        return outputs["ApiUrl"].rstrip("/")

    def admin_key(self, outputs: dict[str, str]) -> str:
        try:
            return self.client("secretsmanager").get_secret_value(SecretId=outputs["AdminKeySecret"])["SecretString"]
        except (ClientError, BotoCoreError) as error:
            raise Failed(f"the admin key, which the output AdminKeySecret names, cannot be read: {error}") from None

    @contextlib.contextmanager
    def receivers(self, api_url: str) -> Iterator[str]:
        yield api_url


class OnThisMachine:
    """Of `make up`. Its API speaks no TLS and webhooks nothing else, so there is a front between them."""

    is_aws = False

    def __init__(self) -> None:
        self.running = Running()
        self.name: str = self.running.described["stack"]

    def client(self, service: str) -> Any:
        return self.running.client(service)

    def api_url(self, _: dict[str, str]) -> str:
        return self.running.described["api_url"]

    def admin_key(self, _: dict[str, str]) -> str:
        return self.running.described["admin_key"]

    @contextlib.contextmanager
    def receivers(self, api_url: str) -> Iterator[str]:
        with Front(self.running.described["receiver_tls"], api_url) as front:
            yield front.origin


def target() -> Target:
    """The one that `STACK_NAME` names on AWS; without it the one of this machine, by `RUN_DIR` or `POSTRIDER_STACK`."""
    name = os.environ.get("STACK_NAME")
    return OnAws(name) if name else OnThisMachine()
