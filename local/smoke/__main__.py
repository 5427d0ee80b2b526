"""`make smoke`: 0 where all holds, 1 where something does not, 2 where nobody can tell."""

import sys

from smoke import ending
from smoke.run import Run
from smoke.target import target
from step import Failed


def main() -> int:
    ending.hear()
    try:
        return Run(target()).go()
    except Failed as failed:
        sys.stderr.write(f"\n!!! {failed}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\n!!! interrupted\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
