"""`make smoke` itself, on a stack that is well and on one that somebody has broken: each time it has to say what is the matter.

Run by `tests/e2e/chaos/smoke.rs`, with the stack to itself; by hand: `drive.py whole`, on the stack that runs."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from api import Api
from run_dir import ROOT
from running import Running
from smoke.receivers import Receiver, Receivers
from smoke.rows import Row, Verdict
from smoke.run import BY_SCHEDULER, FIRST, LEDGER, LEFT, TRIED, Run
from smoke.target import OnThisMachine
from step import Failed, main

ALARMS = "who hears of alarms"
MADE_UP = "whsec_" + "A" * 42 + "8="


def whole() -> None:
    """As a person runs it: every row holds, save what only AWS can tell."""
    with somebody_hears_of_alarms():
        command = [sys.executable, "-m", "smoke"]
        done = subprocess.run(command, env=alone(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    sys.stdout.write(done.stdout)
    wanted(done.returncode == 0, f"it ended with {done.returncode}")
    told = {line[18:50].strip(): line[:16].strip() for line in done.stdout.splitlines() if line[50:52] == "  "}
    held = [what for what, verdict in told.items() if verdict == Verdict.OK.value]
    wanted({*TRIED, ALARMS, LEFT} <= {*held}, f"these should hold: {told}")
    others = {what: verdict for what, verdict in told.items() if what not in held}
    wanted(set(others.values()) == {Verdict.UNKNOWN.value}, f"nothing should have failed: {others}")


def stopped() -> None:
    """First attempts get no function: that is told at once, and nothing is tried."""
    mapping = resource("DeliverFromDeliverQueue")
    lambdas = Running().client("lambda")
    lambdas.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        rows = told(Run(OnThisMachine()))
    finally:
        lambdas.update_event_source_mapping(UUID=mapping, Enabled=True)
    wanted(failed(rows) == ["DeliverFromDeliverQueue"], f"one thing is broken: {failed(rows)}")
    [row] = [row for row in rows if row.verdict is Verdict.FAILED]
    wanted(f"update-event-source-mapping --uuid {mapping} --enabled" in row.said, f"it says how to mend it: {row}")
    wanted(verdicts(rows)[LEDGER] is Verdict.NOT_TRIED, "nothing can be delivered")


def mistaken() -> None:
    """What is deployed signs with another secret than the receiver's."""
    rows = told(Run(OnThisMachine(), Mistaken))
    wanted(failed(rows) == [FIRST], f"one thing is broken: {failed(rows)}")
    [row] = [row for row in rows if row.verdict is Verdict.FAILED]
    wanted("status_401" in row.said and "deliver signs with another one" in row.said, f"it names the secret: {row}")
    wanted(verdicts(rows)[BY_SCHEDULER] is Verdict.NOT_TRIED, "all else would fail alike")
    wanted(verdicts(rows)[LEFT] is Verdict.OK, "it takes away what it has made")


def unswept() -> None:
    """No sweep is started any more."""
    rule = resource("SweepTimer")
    events = Running().client("events")
    events.disable_rule(Name=rule)
    try:
        rows = told(Run(OnThisMachine()))
    finally:
        events.enable_rule(Name=rule)
    wanted(failed(rows) == ["SweepTimer"], f"one thing is broken: {failed(rows)}")
    [row] = [row for row in rows if row.verdict is Verdict.FAILED]
    wanted("what was lost is not found" in row.said and "enable-rule" in row.said, f"it says what that means: {row}")


def interrupted() -> None:
    """Somebody ends it in the middle: what it has made goes all the same."""
    ended()


def pressed() -> None:
    """Somebody ends it and does not wait: what it has made goes all the same."""
    ended(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ended(*again: signal.Signals) -> None:
    """Asks it to, and in these ways again for as long as it takes."""
    command = [sys.executable, "-m", "smoke"]
    process = subprocess.Popen(command, env=alone(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    said = []
    asking = threading.Thread(target=keep_asking, args=[process, again])
    for line in process.stdout:
        said.append(line)
        if FIRST in line:
            process.send_signal(signal.SIGINT)
            asking.start()
    status = process.wait()
    asking.join()
    sys.stdout.writelines(said)
    wanted(status == 2 and "interrupted" in said[-1], f"a pipeline learns nothing of the stack: {status}")
    [row] = [line for line in said if line[18:50].strip() == LEFT]
    wanted(row.startswith("ok "), "it takes away what it has made")
    tenant = row.split("tenant ")[1].split(" ")[0]
    running = Running().described
    shown = Api(running["api_url"], running["admin_key"]).call("GET", f"/v1/tenants/{tenant}")
    wanted(shown["status"] == "deleting", f"its tenant is a deleted one: {shown}")


def keep_asking(process: subprocess.Popen, ways: Sequence[signal.Signals]) -> None:
    for number in itertools.cycle(ways):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            return
        process.send_signal(number)


class Mistaken(Receivers):
    """Tells a secret that is not the receiver's, so deliveries are signed with that."""

    def make(self, *, refuses: bool = False) -> Receiver:
        return Receiver(super().make(refuses=refuses).url, MADE_UP)


def alone() -> dict[str, str]:
    """The environment in which it is for the stack of this machine."""
    return {name: value for name, value in os.environ.items() if name != "STACK_NAME"} | {"PYTHONPATH": str(ROOT / "local")}


def told(run: Run) -> list[Row]:
    status = run.go()
    wanted(status == 1, f"a pipeline should stop here: {status}")
    return run.rows.all


def failed(rows: list[Row]) -> list[str]:
    return [row.what for row in rows if row.verdict is Verdict.FAILED]


def verdicts(rows: list[Row]) -> dict[str, Verdict]:
    return {row.what: row.verdict for row in rows}


def resource(logical: str) -> str:
    running = Running()
    told = running.client("cloudformation").describe_stack_resource(
        StackName=running.described["stack"], LogicalResourceId=logical
    )
    return told["StackResourceDetail"]["PhysicalResourceId"]


@contextlib.contextmanager
def somebody_hears_of_alarms() -> Iterator[None]:
    """A queue of the stack's own account is subscribed, which AWS takes for confirmed at once."""
    running = Running()
    sns, sqs = running.client("sns"), running.client("sqs")
    queue = sqs.create_queue(QueueName="who-hears-of-alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscribed = sns.subscribe(TopicArn=resource("AlarmTopic"), Protocol="sqs", Endpoint=arn)
    try:
        yield
    finally:
        sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=queue)


def wanted(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


CASES: dict[str, Callable[[], None]] = {case.__name__: case for case in (whole, stopped, mistaken, unswept, interrupted, pressed)}


def run() -> None:
    CASES[sys.argv[1]]()


if __name__ == "__main__":
    main(run)
