"""Judges each call: is it what AWS's model and limits take, and may its caller make it?"""

import collections
import dataclasses
import datetime

import announcements
import messages
import schedules
from needs import Needs
from resolved import Resolved
from rights import Need, Right, denials_of, rights_of
from shapes import Check, Models
from statements import Unread
from tables import Tables
from unjudged import Unjudged


@dataclasses.dataclass(frozen=True)
class Call:
    """A call as it came over the wire; `caller` is the role of the function that made it, or nothing for a stranger."""

    caller: str | None
    service: str
    operation: str
    request: dict

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


class Judge:
    """`broken` says what was wrong, each once; `needed` the rights without which something would have been refused."""

    def __init__(self, resolved: Resolved) -> None:
        self.tables = Tables(resolved)
        self.rights = rights_of(resolved)
        self._denials = denials_of(resolved)
        self.calls: collections.Counter[tuple[str, str]] = collections.Counter()
        self.broken: collections.Counter[str] = collections.Counter()
        self.needed: set[Right] = set()
        self.shared: set[Right] = set()
        self.check = Check()
        self._needs = Needs(self.tables)
        self._models = Models()

    def judge(self, call: Call) -> list[str]:
        """What is wrong with a call; an empty list for one that AWS would take."""
        self.calls[call.caller or "a stranger", call.name] += 1
        found = []
        for wrong_by in (self._misshapen, self._forbidden):
            # On record before the next one looks, which may end at what this one found.
            wrong = wrong_by(call)
            self.broken.update(f"{call.caller or 'a stranger'}, {call.name}: {one}" for one in wrong)
            found += wrong
        return found

    def _misshapen(self, call: Call) -> list[str]:
        model = self._models.operation(call.service, call.operation)
        if wrong := self.check.request(model, call.request):
            # What is shaped otherwise can be read no further.
            return wrong
        match call.service:
            case "dynamodb":
                return list(self.tables.complaints(call.operation, call.request))
            case "sqs":
                return list(messages.complaints(call.operation, call.request))
            case "scheduler":
                return list(schedules.complaints(call.request, datetime.datetime.now(datetime.UTC)))
            case "events":
                return list(announcements.complaints(call.request))
        return []

    def _forbidden(self, call: Call) -> list[str]:
        if call.caller is None:
            return ["nobody knows who calls"]
        try:
            needs = self._needs.of(call.service, call.operation, call.request)
        except (Unjudged, Unread, KeyError, ValueError) as problem:
            return [f"it cannot be told what it needs: {problem}"]
        return self.demand(call.caller, needs)

    def demand(self, role: str, needs: list[Need]) -> list[str]:
        """Which of these the role does not allow."""
        refused = []
        for need in needs:
            allowing = [right for right in self.rights if right.role == role and right.covers(need)]
            if any(denial.role == role and denial.covers(need) for denial in self._denials):
                refused.append(f"{role} denies {need}")
            elif not allowing:
                refused.append(f"{role} does not allow {need}")
            # A right beside which another allows the same may go.
            (self.needed if len(allowing) == 1 else self.shared).update(allowing)
        return refused

    def unneeded(self) -> list[Right]:
        """The rights that everything would go without."""
        return [right for right in self.rights if right not in self.needed]
