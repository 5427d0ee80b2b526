"""`make check`: everything that needs no stack and no patience, for use after every change."""

from lint import QUICK, judge
from step import main, say
from suite import FACTS, PYTHON_TESTS, UNIT_TESTS

CHECKS = (
    QUICK
    | {"unit tests": UNIT_TESTS, "facts": FACTS}
    | {f"tests of the {what}": command for what, command in PYTHON_TESTS.items()}
)


def run() -> None:
    judge("check", CHECKS)
    say("\nNothing to complain about. What is left is `make test`, which brings up a stack of its own.")


if __name__ == "__main__":
    main(run)
