"""A request held against the service's own model, as botocore ships it: members, requirements, lengths, ranges, patterns, enums.

Only what is sent is read, so what an SDK would have filled in must be there."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

LOADER = Loader()


class Models:
    """The models of the services that are spoken to, each read once."""

    def __init__(self) -> None:
        self._services: dict[str, ServiceModel] = {}

    def operation(self, service: str, name: str) -> OperationModel:
        if service not in self._services:
            self._services[service] = ServiceModel(LOADER.load_service_model(service, "service-2"), service)
        return self._services[service].operation_model(name)


class Check:
    """Holds values against shapes, and counts the rules that it has held them against."""

    def __init__(self) -> None:
        self.rules = 0

    def request(self, operation: OperationModel, request: dict) -> list[str]:
        """What is wrong with it."""
        if operation.input_shape is None:
            return [] if not request else [f"{operation.name} takes nothing"]
        return list(self._value(operation.input_shape, request, operation.name))

    def _value(self, shape: Shape, value: Any, where: str) -> Iterator[str]:
        self.rules += 1
        kinds: dict[str, Callable[[Any, Any, str], Iterator[str]]] = {
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
            "string": self._string,
            "integer": self._number,
            "long": self._number,
            "float": self._number,
            "double": self._number,
            "boolean": self._boolean,
            "blob": self._blob,
            "timestamp": self._number,
        }
        yield from kinds[shape.type_name](shape, value, where)

    def _structure(self, shape: StructureShape, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: an object is wanted, not {value!r}"
            return
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        wire = {name: member.serialization.get("name", name) for name, member in shape.members.items()}
        self.rules += 1 + len(shape.required_members)
        for name in value.keys() - members.keys():
            yield f"{where}: {shape.name} has no member {name}"
        for name in shape.required_members:
            if wire[name] not in value:
                yield f"{where}: {name} is required"
        for name in value.keys() & members.keys():
            yield from self._value(members[name], value[name], f"{where}.{name}")

    def _list(self, shape: ListShape, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where}: a list is wanted, not {value!r}"
            return
        yield from self._bounds(shape, len(value), where, "members")
        for number, member in enumerate(value):
            yield from self._value(shape.member, member, f"{where}[{number}]")

    def _map(self, shape: MapShape, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: an object is wanted, not {value!r}"
            return
        yield from self._bounds(shape, len(value), where, "members")
        for name, member in value.items():
            yield from self._value(shape.key, name, f"{where}'s name {name}")
            yield from self._value(shape.value, member, f"{where}.{name}")

    def _string(self, shape: Shape, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{where}: a text is wanted, not {value!r}"
            return
        yield from self._bounds(shape, len(value), where, "characters")
        if pattern := shape.metadata.get("pattern"):
            self.rules += 1
            if re.search(_python(pattern), value) is None:
                yield f"{where}: {value!r} is not as {pattern}"
        if enum := shape.metadata.get("enum"):
            self.rules += 1
            if value not in enum:
                yield f"{where}: {value!r} is none of {enum}"

    def _number(self, shape: Shape, value: Any, where: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{where}: a number is wanted, not {value!r}"
            return
        if shape.type_name in ("integer", "long") and not isinstance(value, int):
            yield f"{where}: a whole number is wanted, not {value!r}"
        yield from self._bounds(shape, value, where, "")

    def _boolean(self, _: Shape, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, bool):
            yield f"{where}: true or false is wanted, not {value!r}"

    def _blob(self, shape: Shape, value: Any, where: str) -> Iterator[str]:
        try:
            size = len(base64.b64decode(value, validate=True))
        except (TypeError, ValueError, binascii.Error):
            yield f"{where}: base64 is wanted, not {value!r}"
            return
        yield from self._bounds(shape, size, where, "bytes")

    def _bounds(self, shape: Shape, size: float, where: str, unit: str) -> Iterator[str]:
        for name, is_beyond in (("min", size.__lt__), ("max", size.__gt__)):
            if name in shape.metadata:
                self.rules += 1
                if is_beyond(shape.metadata[name]):
                    yield f"{where}: {size} {unit}".rstrip() + f", where the {name} is {shape.metadata[name]}"


def _python(pattern: str) -> str:
    """The models' patterns are Java's; those of what we call differ in nothing but this."""
    return pattern.replace(r"\p{XDigit}", "[0-9A-Fa-f]")
