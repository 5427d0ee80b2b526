"""What was found out, a row each, as it is told to whoever watches and to a pipeline."""

import contextlib
import dataclasses
import enum
import threading
import time
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from step import Failed, say


class Verdict(enum.Enum):
    """What a row comes to."""

    OK = "ok"
    FAILED = "FAILED"
    UNKNOWN = "cannot tell here"
    NOT_TRIED = "not tried"


class Finding(Exception):
    """What is wrong, by its cause: in words that the person who is paged can act upon."""


class Unknown(Exception):
    """What cannot be told from here, and why."""


class Hindered(Exception):
    """What keeps the run from finding out, such as a right that is missing: it says nothing of the stack then."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    said: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.verdict.value:16}  {self.what:32} {self.seconds:6.1f} s  {self.said}"


class Rows:
    """All of them, each told at once."""

    def __init__(self) -> None:
        self.all: list[Row] = []
        self.hindered = False
        self._lock = threading.Lock()

    def add(self, what: str, verdict: Verdict, said: str, seconds: float = 0.0) -> Row:
        row = Row(what, verdict, said, seconds)
        with self._lock:
            self.all.append(row)
            say(str(row))
        return row

    def look(self, what: str, at: Callable[[], str]) -> Row:
        """Looks at one thing: what it says where it holds; a `Finding` says what is wrong."""
        begun = time.monotonic()
        try:
            verdict, said = Verdict.OK, at()
        except Unknown as unknown:
            verdict, said = Verdict.UNKNOWN, str(unknown)
        except Hindered as hindered:
            self.hindered = True
            verdict, said = Verdict.UNKNOWN, str(hindered)
        except (Finding, Failed) as finding:
            verdict, said = Verdict.FAILED, str(finding)
        return self.add(what, verdict, said, time.monotonic() - begun)

    def failed(self) -> list[Row]:
        return [row for row in self.all if row.verdict is Verdict.FAILED]

    def exit_status(self) -> int:
        """0: all of it holds; 1: something does not; 2: nobody knows, since not all could be looked at."""
        return 1 if self.failed() else 2 if self.hindered else 0


@contextlib.contextmanager
def aws(action: str) -> Iterator[None]:
    """A call of AWS: what it refuses is told by what one would need for it."""
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code.startswith(("AccessDenied", "Unauthorized", "AuthorizationError")):
            raise Hindered(f"you may not {action}: docs/aws.md, 'The smoke test', has the rights that it needs") from None
        if code.startswith(("ResourceNotFound", "NotFound")):
            raise Finding(f"AWS has it no more: somebody took it away by hand; deploy the stack again ({message})") from None
        raise Finding(f"{action} was refused: {code}: {message}") from None
    except BotoCoreError as error:
        raise Finding(f"{action} got no answer: {error}") from None
