"""`make redrive`: asks the local stack's fan-out to try again what lies in quarantine, as an operator asks it on AWS."""

import json

import boto3

from run_dir import RunDir
from step import Failed, main, say


def run() -> None:
    run_dir = RunDir()
    if not run_dir.stack.exists():
        raise Failed(f"{run_dir}: nothing is up; `make up` first")
    answer = redrive(json.loads(run_dir.stack.read_text()))
    say(f"brought back from quarantine: {answer['redriven']}; left there: {answer['left']}")


def redrive(stack: dict) -> dict:
    client = boto3.client(
        "lambda",
        endpoint_url=stack["endpoint_url"],
        region_name=stack["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    answer = client.invoke(FunctionName=stack["functions"]["fanout"], Payload=json.dumps({"redrive": True}))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Failed(f"the redrive failed: {said.get('errorMessage', said)}")
    return said


if __name__ == "__main__":
    main(run)
