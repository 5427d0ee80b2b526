"""Runs the verification program of nur's webhook page, unchanged, on a delivery that was really received.

    python3 nur_page.py PAGE SIGNATURE < BODY

Ends with 0 if the page's handler answered 200, and with 1 and the handler's error if it refused. The page as kept has a
number before each line of a program, and one space where its indentation was; both are mended by rule, and not a
word of the program is changed.
"""

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIRST = "import hmac"
ENDS_A_BLOCK = ("return", "raise", "break", "continue", "pass")
Handler = Callable[[], object]


def numbered_lines(page: str, first: str) -> list[str]:
    """The lines from `1<first>` on, without their numbers. A blank line counts, but shows no number."""
    lines = page.splitlines()
    program: list[str] = []
    for line in lines[lines.index(f"1{first}") :]:
        number = str(len(program) + 1)
        if line and not line.startswith(number):
            break
        program.append(line.removeprefix(number))
    return program


def reindent(lines: list[str]) -> str:
    """Python's indentation back from one space: deeper after a colon, shallower after what ends a block."""
    program, level, brackets = [], 0, 0
    for line in lines:
        text = line.strip()
        if text and not brackets:
            level = max(level, 1) if line.startswith(" ") else 0
        program.append("    " * (level + (1 if brackets else 0)) + text if text else "")
        brackets += sum(map(text.count, "([{")) - sum(map(text.count, ")]}"))
        if text.endswith(":") and not brackets:
            level += 1
        elif text.startswith(ENDS_A_BLOCK) and not brackets:
            level -= 1
    return "\n".join(program) + "\n"


class App:
    """What the page calls `app`, of a framework that need not be installed for this."""

    def route(self, *_args: object, **_options: object) -> Callable[[Handler], Handler]:
        return lambda handler: handler


class Request:
    """The framework's request: raw bytes, and JSON only when the handler asks for it."""

    def __init__(self, body: bytes, signature: str) -> None:
        self.data = body
        self.headers = {"X-Nur-Signature": signature}

    @property
    def json(self) -> Any:
        return json.loads(self.data)


def main(page: str, signature: str) -> int:
    program = reindent(numbered_lines(Path(page).read_text(encoding="utf-8"), FIRST))
    flask = types.ModuleType("flask")
    vars(flask)["request"] = Request(sys.stdin.buffer.read(), signature)
    sys.modules["flask"] = flask
    scope: dict[str, Any] = {"app": App(), "__name__": "page"}
    exec(compile(program, page, "exec"), scope)
    try:
        answer = scope["handle_webhook"]()
    except ValueError as error:
        print(f"refused: {error}")
        return 1
    return 0 if answer == ("", 200) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
