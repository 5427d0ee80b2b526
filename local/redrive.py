"""`make redrive`: asks the local stack's fan-out to try again what lies in quarantine, as an operator asks it on AWS."""

import json

from running import Running
from step import Failed, main, say


def run() -> None:
    answer = redrive(Running())
    say(f"brought back from quarantine: {answer['redriven']}; left there: {answer['left']}")


def redrive(stack: Running) -> dict:
    answer = stack.client("lambda").invoke(FunctionName=stack.function("fanout"), Payload=json.dumps({"redrive": True}))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Failed(f"the redrive failed: {said.get('errorMessage', said)}")
    return said


if __name__ == "__main__":
    main(run)
