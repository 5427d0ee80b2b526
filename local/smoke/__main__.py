"""`make smoke`: 0 where all holds, 1 where something does not, 2 where nobody can tell."""

import signal
import sys

from smoke.run import Run
from smoke.target import target
from step import Failed


def main() -> int:
    # Also where a pipeline has it ignored: whoever is asked to end takes away what it has made.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return Run(target()).go()
    except Failed as failed:
        sys.stderr.write(f"\n!!! {failed}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\n!!! interrupted\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
