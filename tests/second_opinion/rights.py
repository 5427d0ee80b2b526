"""What the roles give, right by right, and whether a right covers what a call needs.

As much of IAM as the template uses. What it does not use is refused and never passed over: an operator or a key that nobody here
knows would otherwise hold for nothing, or for everything."""

import dataclasses
import fnmatch
import functools
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from resolved import Resolved

# The keys that are known to come with a call.
KEYS = (
    "dynamodb:Attributes",
    "dynamodb:LeadingKeys",
    "events:detail-type",
    "events:source",
    "iam:PassedToService",
    "kms:ViaService",
    "lambda:SourceFunctionArn",
    "aws:SecureTransport",
    "aws:SourceArn",
    "aws:SourceAccount",
)

Context = dict[str, list[str]]


class Unknown(Exception):
    """Something of IAM that is not understood here."""


@dataclasses.dataclass(frozen=True)
class Need:
    """What somebody must be allowed to do, with the keys that conditions speak of."""

    action: str
    resource: str
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def context(self) -> Context:
        return {name: list(values) for name, values in self.keys}

    def __str__(self) -> str:
        with_keys = "".join(f", {name} {list(values)}" for name, values in self.keys)
        return f"{self.action} on {self.resource}{with_keys}"


@dataclasses.dataclass(frozen=True)
class Right:
    """One action on one resource, for a role, under a condition that is kept as JSON; it may be a denial."""

    role: str
    action: str
    resource: str
    condition: str = ""

    def covers(self, need: Need) -> bool:
        return (
            self.action.lower() == need.action.lower()
            and matches(self.resource, need.resource)
            and holds(json.loads(self.condition or "{}"), need.context)
        )

    def __str__(self) -> str:
        where = f" where {self.condition}" if self.condition else ""
        return f"{self.role}: {self.action} on {self.resource}{where}"


def rights_of(resolved: Resolved) -> list[Right]:
    """All that the template's roles give in production."""
    return _of_effect("Allow", resolved)


def denials_of(resolved: Resolved) -> list[Right]:
    """All that they deny, whatever else gives it."""
    return _of_effect("Deny", resolved)


def _of_effect(effect: str, resolved: Resolved) -> list[Right]:
    found: list[Right] = []
    for role, properties in resolved.of_type("AWS::IAM::Role").items():
        if properties.get("ManagedPolicyArns"):
            raise Unknown(f"{role} has policies that are not in the template")
        for policy in properties.get("Policies", []):
            for statement in as_list(policy["PolicyDocument"]["Statement"]):
                found += [right for right in rights_in(role, statement) if statement["Effect"] == effect]
    return found


def rights_in(role: str, statement: dict) -> Iterator[Right]:
    if statement["Effect"] not in ("Allow", "Deny") or set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}:
        raise Unknown(f"a statement of {role}: {statement}")
    holds(statement.get("Condition", {}), {})
    for condition in _alternatives(statement.get("Condition", {})):
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                yield Right(role, action, resource, condition)


def _alternatives(condition: dict) -> Iterator[str]:
    """A condition as JSON for each value that is enough for it, so that one is found of which nobody has need."""
    tests = [
        [(operator, name, value) for value in (as_list(wanted) if operator == "StringEquals" else [wanted])]
        for operator, named in condition.items()
        for name, wanted in named.items()
    ]
    for chosen in itertools.product(*tests):
        one: dict[str, dict] = {}
        for operator, name, value in chosen:
            one.setdefault(operator, {})[name] = value
        yield json.dumps(one, sort_keys=True) if one else ""


def as_list(value: Any) -> list:
    return value if isinstance(value, list) else [value]


def matches(pattern: str, text: str) -> bool:
    """`*` and `?` are IAM's; brackets mean themselves."""
    return _compiled(pattern).match(text) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def holds(condition: dict, context: Context) -> bool:
    return all(
        _tested(operator, name, [str(one) for one in as_list(wanted)], context)
        for operator, tests in condition.items()
        for name, wanted in tests.items()
    )


def _tested(operator: str, name: str, wanted: list[str], context: Context) -> bool:
    if name not in KEYS:
        raise Unknown(f"the condition key {name}")
    if operator == "Null":
        return all((pattern.lower() == "true") == (name not in context) for pattern in wanted)
    quantifier, _, plain = operator.rpartition(":")
    test = {
        "StringEquals": lambda pattern, value: pattern == value,
        "StringLike": matches,
        "ArnEquals": matches,
        "ArnLike": matches,
        "Bool": lambda pattern, value: pattern.lower() == value.lower(),
    }.get(plain)
    if test is None or quantifier not in ("", "ForAllValues"):
        raise Unknown(f"the condition operator {operator}")
    if name not in context:
        # A key that does not come with the call is an empty set: all of it is as wanted, and none of it is one value.
        return quantifier == "ForAllValues"
    values = context[name]
    if not quantifier and len(values) != 1:
        raise Unknown(f"{operator} about {name}, of which there are {len(values)}")
    return all(any(test(pattern, value) for pattern in wanted) for value in values)
