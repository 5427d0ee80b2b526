"""AWS's answers, written down: for what the emulator never answers."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from botocore.exceptions import ClientError


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as AWS says it"}}, "Something")


class Amazon:
    """By the name of the call; an error among them is raised. Lists come as their one page."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __getattr__(self, call: str) -> Callable[..., Any]:
        def answer(**asked: Any) -> Any:
            answer = self.answers[call]
            if isinstance(answer, Exception):
                raise answer
            return answer(**asked) if callable(answer) else answer

        return answer

    def get_paginator(self, call: str) -> Any:
        class Paginator:
            def paginate(_, **asked: Any) -> list:  # noqa: N805
                return [getattr(self, call)(**asked)]

        return Paginator()


class Target:
    """A stack on AWS, or one that is not."""

    name = "p"

    def __init__(self, amazon: Amazon, is_aws: bool = True) -> None:
        self.amazon = amazon
        self.is_aws = is_aws

    def client(self, _: str) -> Amazon:
        return self.amazon
