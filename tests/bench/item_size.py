"""DynamoDB's own measure of an item: what it bills by."""

import base64


def size_of(item: dict) -> int:
    """Bytes of an item in DynamoDB's JSON: its names and its values."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: dict) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            digits = content.lstrip("-").replace(".", "").strip("0")
            return (len(digits) + 1) // 2 + 1 + content.startswith("-")
        case "B":
            return len(base64.b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value(member) for member in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value(member) for name, member in content.items())
        case "SS":
            return sum(len(member.encode()) for member in content)
        case "NS":
            return sum(_value({"N": member}) for member in content)
        case "BS":
            return sum(_value({"B": member}) for member in content)
    raise ValueError(f"an attribute of type {kind}")
