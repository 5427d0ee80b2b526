"""The ground on which a stack stands: an emulator, to which versions are deployed, one over the other."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api import Api
from authority import Authority
from deployment import API_ID, STACK_NAME, Deployment
from emulator import Emulator, client
from run_dir import RunDir
from step import Failed

# What runs when its function is replaced is ended by the emulator, and its messages come again after this, where AWS lets it
# finish. Longer than a batch takes, or a second function would make its POSTs beside the first.
VISIBILITY_SECONDS = 45
# How long whatever must happen may take: the machine may have other things to do.
WITHIN = 480


class Ground:
    """`name` is the stack's; others may stand beside it on the same emulator."""

    def __init__(self, run_dir: RunDir, emulator: Emulator | None = None, name: str = STACK_NAME) -> None:
        self.run_dir = run_dir
        self.emulator = emulator or Emulator(run_dir)
        self.authority = Authority(run_dir.tls)
        self.deployment = Deployment(self.emulator, name)
        self.outputs: dict[str, str] = {}
        # A stack's first version makes its API, and the others keep it.
        self._api_id = API_ID
        # From when to when updates took, in seconds since 1970.
        self.deployments: list[tuple[float, float]] = []

    def open(self) -> None:
        self.run_dir.make()
        self.authority.make()
        # With the functions' roles enforced: what one version's role takes from the other's program has to show.
        self.emulator.start(True, self.authority.ca)

    def beside(self, name: str) -> "Ground":
        """Another stack on the same emulator."""
        return Ground(self.run_dir, self.emulator, name)

    def close(self) -> None:
        self.emulator.stop()

    def deploy(self, build: Path, **chosen: str) -> None:
        """A version over the one that is there, as an operator deploys it: with the parameters that he has chosen. `sam deploy`
        leaves out those that a version does not know."""
        self.deployment.deploy(build, self._parameters(chosen))
        self._go_on()

    def follow(self, build: Path, at_last: Callable[[], None], **chosen: str) -> None:
        """The same, over a version that is there. `at_last` is done when all is prepared, so right before functions change."""
        self.deployment.deploy(build, self._parameters(chosen), "--no-execute-changeset")
        cloudformation = self.client("cloudformation")
        listed = cloudformation.list_change_sets(StackName=self.deployment.name)["Summaries"]
        [prepared] = [each["ChangeSetId"] for each in listed if each["ExecutionStatus"] == "AVAILABLE"]
        at_last()
        begun = time.time()
        cloudformation.execute_change_set(ChangeSetName=prepared)
        patience = Patience("the update is to be complete")
        while (stands := cloudformation.describe_change_set(ChangeSetName=prepared)["ExecutionStatus"]) != "EXECUTE_COMPLETE":
            if stands == "EXECUTE_FAILED":
                raise Failed("the update fails")
            patience.wait(stands)
        self.deployments.append((begun, time.time()))
        self._go_on()

    def _parameters(self, chosen: dict[str, str]) -> dict[str, str]:
        return {"PrivateTargets": "allow", "PublicUrl": self.api, **chosen}

    def _go_on(self) -> None:
        self.outputs = self.deployment.outputs()
        self._api_id = self.resource("Api")
        for queue in ("DeliverQueue", "RetryQueue", "SlowQueue", "UnfinishedQueue", "ContinuationQueue"):
            if queue in self.outputs:
                attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
                self.client("sqs").set_queue_attributes(QueueUrl=self.outputs[queue], Attributes=attributes)

    def client(self, service: str) -> Any:
        return client(service, self.emulator.url)

    @property
    def api(self) -> str:
        return self.deployment.api_url(self._api_id)

    def resource(self, logical_id: str) -> str:
        told = self.client("cloudformation").describe_stack_resource(StackName=self.deployment.name, LogicalResourceId=logical_id)
        return told["StackResourceDetail"]["PhysicalResourceId"]

    def operator(self) -> Api:
        return Api(self.api, self.deployment.secret(self.outputs["AdminKeySecret"]))

    def invoke(self, function: str, event: dict) -> dict:
        """A function by its output, as a timer or an operator invokes it. One that fails is invoked again by whoever did."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs[function], Payload=json.dumps(event))
        told = json.loads(answer["Payload"].read() or "null")
        return told if isinstance(told, dict) and "FunctionError" not in answer else {}

    def sweep(self) -> None:
        """The timer's comes every few minutes."""
        self.invoke("SweepFunction", {})

    def waiting(self, queue: str) -> int:
        """Messages of a queue, with those that somebody has in hand or that are delayed."""
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
        told = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)


class Patience:
    """A deadline for one thing that must happen."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._until = time.monotonic() + WITHIN

    def wait(self, lacking: str) -> None:
        if time.monotonic() > self._until:
            raise Failed(f"after {WITHIN} s, {self.what}: {lacking}")
        time.sleep(1)
