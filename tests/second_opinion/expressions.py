"""DynamoDB's expressions: what is in them, and what DynamoDB refuses although its model does not say so."""

import dataclasses
import re
from collections.abc import Iterator

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

EXPRESSIONS = ("ConditionExpression", "UpdateExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression")
NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
RESERVED = frozenset(ReservedKeywords.get_reserved_keywords())
TOKEN = re.compile(r"\s*([#:]?[A-Za-z_][A-Za-z0-9_]*|[#:][A-Za-z0-9_]+|\d+|<>|<=|>=|[=<>(),.\[\]+-])")
CONNECTIVES = frozenset(("AND", "OR", "NOT", "BETWEEN", "IN"))
CLAUSES = frozenset(("SET", "REMOVE", "ADD", "DELETE"))
OPERATORS = frozenset(("=", "<>", "<", "<=", ">", ">=", "+", "-")) | CONNECTIVES
TESTS = frozenset(("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"))
FUNCTIONS = {
    "ConditionExpression": TESTS,
    "FilterExpression": TESTS,
    "KeyConditionExpression": frozenset(("begins_with",)),
    "UpdateExpression": frozenset(("if_not_exists", "list_append")),
    "ProjectionExpression": frozenset(),
}
MOST_BYTES = 4096
MOST_OPERATORS = 300
LONGEST_NAME = 255


@dataclasses.dataclass(frozen=True)
class Expression:
    """One expression of a request, in its parts."""

    kind: str
    text: str
    tokens: tuple[str, ...]

    @property
    def placeholders(self) -> set[str]:
        return {token for token in self.tokens if token[0] in "#:"}

    def paths(self, names: dict[str, str]) -> Iterator[tuple[int, str]]:
        """Each path to an attribute as it is stored, with the place where it begins."""
        place = 0
        while place < len(self.tokens):
            if not self._is_name(place):
                place += 1
                continue
            begin, parts = place, [names.get(self.tokens[place], self.tokens[place])]
            place += 1
            while place + 1 < len(self.tokens) and self.tokens[place] in ".[":
                step = self.tokens[place + 1]
                parts.append(names.get(step, step) if self.tokens[place] == "." else f"[{step}]")
                place += 2 if self.tokens[place] == "." else 3
            yield begin, ".".join(parts)

    def bare_names(self) -> Iterator[str]:
        return (token for place, token in enumerate(self.tokens) if token[0] not in "#:" and self._is_name(place))

    def _is_name(self, place: int) -> bool:
        token = self.tokens[place]
        if not (token[0] in "#_" or token[0].isalpha()):
            return False
        if token[0] == "#":
            return True
        is_call = place + 1 < len(self.tokens) and self.tokens[place + 1] == "("
        is_word = token.upper() in CONNECTIVES or (self.kind == "UpdateExpression" and token.upper() in CLAUSES)
        return not is_word and not (is_call and token in TESTS | FUNCTIONS["UpdateExpression"])


def expressions_in(request: dict) -> list[Expression]:
    return [Expression(kind, request[kind], tuple(_tokens(request[kind]))) for kind in EXPRESSIONS if kind in request]


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while text[place:].strip():
        found = TOKEN.match(text, place)
        if found is None:
            yield text[place:].strip()[0]
            return
        yield found[1]
        place = found.end()


def complaints(request: dict, where: str) -> Iterator[str]:
    """What DynamoDB would refuse of a request's expressions by themselves."""
    found, names = expressions_in(request), request.get(NAMES, {})
    for expression in found:
        yield from _of_itself(expression, f"{where}.{expression.kind}")
    used = set().union(*(expression.placeholders for expression in found))
    for kind, mark in ((NAMES, "#"), (VALUES, ":")):
        defined = set(request.get(kind, {}))
        if kind in request and not defined:
            yield f"{where}.{kind} is empty"
        yield from (f"{where}.{kind} defines {one}, which no expression uses" for one in sorted(defined - used))
        yield from (f"{where} uses {one}, which {kind} does not define" for one in sorted(used - defined) if one[0] == mark)
    yield from (f"{where}.{NAMES} names a name of {len(name)}" for name in names.values() if not 0 < len(name) <= LONGEST_NAME)
    for expression in found:
        if expression.kind == "UpdateExpression":
            yield from _overlaps(expression, names, f"{where}.UpdateExpression")


def _of_itself(expression: Expression, where: str) -> Iterator[str]:
    size = len(expression.text.encode())
    if not 0 < size <= MOST_BYTES:
        yield f"{where} has {size} bytes, where {MOST_BYTES} are the most"
    operators = sum(token.upper() in OPERATORS for token in expression.tokens)
    if operators > MOST_OPERATORS:
        yield f"{where} has {operators} operators, where {MOST_OPERATORS} are the most"
    yield from (f"{where}: {name} is a reserved word" for name in expression.bare_names() if name.upper() in RESERVED)
    for place, token in enumerate(expression.tokens):
        if token[0].isdigit() and expression.tokens[place - 1] != "[":
            yield f"{where}: {token} stands for nothing"
        elif TOKEN.fullmatch(token) is None:
            yield f"{where}: {token} is no part of an expression"
        elif place + 1 < len(expression.tokens) and expression.tokens[place + 1] == "(" and token[0].isalpha():
            is_known = token in FUNCTIONS[expression.kind] or token.upper() in CONNECTIVES
            if not is_known:
                yield f"{where}: {token} is no function of it"


def written(expression: Expression, names: dict[str, str]) -> list[str]:
    """The paths that an update writes, in its order."""
    paths = dict(expression.paths(names))
    found, clause, depth, begins = [], "", 0, False
    for place, token in enumerate(expression.tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token.upper() in CLAUSES and token[0] not in "#:":
            clause, begins = token.upper(), True
        elif token == "," and depth == 0:
            begins = True
        elif clause and begins:
            found.append(paths.get(place, token))
            begins = False
    return found


def _overlaps(expression: Expression, names: dict[str, str], where: str) -> Iterator[str]:
    paths = written(expression, names)
    for place, path in enumerate(paths):
        for other in paths[place + 1 :]:
            if path == other or path.startswith(f"{other}.") or other.startswith(f"{path}."):
                yield f"{where} writes {path} and {other}, which overlap"


def partition_of(request: dict, key: str) -> str:
    """The one value of the partition key that a query asks for."""
    names, values = request.get(NAMES, {}), request.get(VALUES, {})
    (expression,) = (one for one in expressions_in(request) if one.kind == "KeyConditionExpression")
    for place, path in expression.paths(names):
        if path == key and expression.tokens[place + 1] == "=":
            return str(next(iter(values[expression.tokens[place + 2]].values())))
    raise ValueError(f"no query of one partition: {expression.text}")
