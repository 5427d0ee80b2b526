"""One run: what stands, then an event's way, then what AWS has made of it; and nothing of it is left."""

import datetime
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from api import Api
from smoke.account import Account
from smoke.customer import Customer
from smoke.ending import unheard
from smoke.hops import HOPS, Hops
from smoke.patience import Patience
from smoke.receivers import Receivers
from smoke.rows import Finding, Row, Rows, Verdict
from smoke.stack import Stack
from smoke.standing import Standing
from smoke.target import Target
from step import say

CUSTOMER, FIRST, ROTATION, RECOVERY = "a customer", "a first delivery", "a secret's rotation", "a failure, and its recovery"
BY_DELAY, BY_SCHEDULER, LEDGER = "a retry within a minute", "a retry by Scheduler", "the ledger"
TRIED = [CUSTOMER, FIRST, ROTATION, RECOVERY, BY_DELAY, BY_SCHEDULER, LEDGER]
LEFT = "nothing is left"
# What it costs is worked out in docs/operations.md.
COSTS = "less than $0.01, of which most is for metrics that the stack may not have had this hour"


class Run:
    """Everything that is looked at, in order: a cause that stands still is told before anything waits for its effect."""

    def __init__(self, target: Target, make_receivers: Callable[[Api, str], Receivers] = Receivers) -> None:
        self.target = target
        self.rows = Rows()
        self.patience = Patience()
        self._make_receivers = make_receivers

    def go(self) -> int:
        """The exit status for a pipeline."""
        begun = datetime.datetime.now(datetime.UTC)
        stack = Stack(self.target.client("cloudformation"), self.target.name)
        in_the_way = Standing(self.target, stack).look(self.rows)
        if "its outputs" in in_the_way:
            return self._end(in_the_way)
        operator = Api(self.target.api_url(stack.outputs), self.target.admin_key(stack.outputs))
        if self.rows.look("the API", lambda: answers(operator)).verdict is Verdict.FAILED:
            in_the_way.append("the API")
        if in_the_way:
            return self._end(in_the_way)
        self._deliver(stack, operator)
        Account(self.target, stack, self.patience, begun).look(self.rows)
        return self._end([])

    def _deliver(self, stack: Stack, operator: Api) -> None:
        closed = stack.parameters.get("EventTypes") == "closed"
        customer = Customer(operator, self.patience, HOPS if closed else None)
        try:
            with self.target.receivers(operator.url) as address:
                hops: list[Hops] = []

                def begin() -> str:
                    said = customer.sign_up()
                    hops.append(Hops(self.target, stack, customer, self._make_receivers(operator, address)))
                    return said

                if self._holds(CUSTOMER, begin):
                    self._follow(hops[0])
                else:
                    self._not_tried(TRIED[1:], "there has to be a customer first")
        finally:
            with unheard():
                self.patience.end()
                self.rows.look(LEFT, customer.leave)
        # What is looked at after this is waited for anew.
        self.patience = Patience()

    def _follow(self, hops: Hops) -> None:
        """What is sure to fail if the first delivery does is not tried; all else waits side by side."""
        if not self._holds(FIRST, hops.first):
            self._not_tried(TRIED[2:], "an event has to be delivered first")
            return
        beside = {ROTATION: hops.rotation, RECOVERY: hops.recovery, BY_DELAY: hops.by_delay, BY_SCHEDULER: hops.by_scheduler}
        with ThreadPoolExecutor() as pool:
            looks: list[Future[Row]] = [pool.submit(self.rows.look, what, hop) for what, hop in beside.items()]
            try:
                ended = [one.result() for one in looks]
            except BaseException:
                # Or the pool would wait for what nobody waits for any more.
                self.patience.end()
                raise
        if all(row.verdict is Verdict.OK for row in ended):
            self.rows.look(LEDGER, hops.ledger)
        else:
            self._not_tried([LEDGER], "all else has to hold first")

    def _not_tried(self, whats: list[str], why: str) -> None:
        for what in whats:
            self.rows.add(what, Verdict.NOT_TRIED, why)

    def _holds(self, what: str, look: Callable[[], str]) -> bool:
        return self.rows.look(what, look).verdict is Verdict.OK

    def _end(self, in_the_way: list[str]) -> int:
        if in_the_way:
            self._not_tried(TRIED, f"first {', '.join(in_the_way)} must hold")
        status, count = self.rows.exit_status(), len(self.rows.all)
        failed = [row.what for row in self.rows.failed()]
        told = f"{len(failed)} of {count} rows failed: {', '.join(failed)}" if failed else f"{count} rows, and none failed"
        say(f"\n{self.target.name}: {told}. It has cost {COSTS}.")
        if status == 2:
            say("Not all could be looked at, so this says nothing of the stack.")
        return status


def answers(operator: Api) -> str:
    """That it is there, in which version, and that it takes the operator's key."""
    status, document = operator.ask("GET", "/v1/openapi.json")
    if status != 200:
        raise Finding(f"GET {operator.url}/v1/openapi.json answered {status}: {document}; docs/runbook/api-errors.md")
    status, told = operator.ask("GET", "/v1/tenants?limit=1")
    if status != 200:
        raise Finding(f"the admin key, which the output AdminKeySecret names, is answered {status}: {told}")
    return f"{operator.url} is there, in version {document['info']['version']}, and takes the admin key"
