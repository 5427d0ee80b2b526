"""A passage: one version follows another while traffic is on its way, and what becomes of that."""

import time
from collections.abc import Callable, Iterable

from endpoints import Endpoints
from ground import Ground, Patience
from reckoning import Reckoning
from step import Failed, say, step
from traffic import Customer, Jobs, Kind, Steady, Way

JOBS = 5
# Events before the deployment and after it, from whoever publishes all the time.
AROUND = 10


class Passage:
    """`name` tells its webhooks from those of others."""

    def __init__(self, ground: Ground, endpoints: Endpoints, name: str, kinds: Iterable[Kind]) -> None:
        self.ground, self.name = ground, name
        self.customer = Customer(ground, name)
        self.ways = [Way(self.customer, endpoints, kind, name) for kind in kinds]
        self.steady = Steady(self.customer, endpoints, name)
        self.jobs = Jobs(self.customer, endpoints, name, JOBS)
        # When functions began to change, in seconds since 1970.
        self.begun = 0.0
        # What the version that follows leaves lying, by its webhooks.
        self.waits: list[Way] = []

    def go(self, deploy: Callable[[Callable[[], None]], None]) -> None:
        """`deploy` does at last, before functions change, what it is given."""
        with self.steady:
            with step("put traffic on its way"):
                self.steady.until(AROUND)
                refused = [way for way in self.ways if not way.kind.is_prompt]
                for way in refused:
                    way.begin()
                for way in refused:
                    way.until_tried()
                for way in self.ways:
                    if way.kind.recovered:
                        way.until_failed()
            deploy(self._at_last)
            for way in self.ways:
                way.mend()
            self.jobs.end()
            self.steady.until(AROUND)
        self.steady.ways[1].mend()

    def _at_last(self) -> None:
        """What would be over soon begins now."""
        for way in self.ways:
            if way.kind.is_prompt:
                way.begin()
        # It is one call, so it is last.
        for way in self.ways:
            if way.kind.recovered:
                way.ask_again()
        for way in self.ways:
            say(f"    {way.name}: {way.lacking('succeeded') or 'all succeeded'}")
        self.begun = time.time()

    def settle(self, but_for: Iterable[str] = ()) -> None:
        """Waits until all is delivered, but for what is left lying of these kinds."""
        self.waits = [way for way in self.ways if way.kind.name in but_for]
        with step("let all of it end"):
            patience = Patience("all is to be delivered")
            while lacking := self._lacking():
                self.ground.sweep()
                patience.wait(lacking)

    def _lacking(self) -> str:
        ways = [way for way in (*self.ways, *self.steady.ways) if way not in self.waits]
        told = {way.name: way.lacking("succeeded") for way in ways} | {"jobs": self.jobs.lacking()}
        return "; ".join(f"{name}: {lacking}" for name, lacking in told.items() if lacking)

    def reckon(self) -> None:
        """Says what came of it, and fails where something is amiss."""
        reckoning, cut = Reckoning(), self.ground.deployments
        for way in (*self.ways, *self.steady.ways):
            if way not in self.waits:
                reckoning.add(way.endpoint, way.expected, self.customer.deliveries(way.webhook), cut)
        reckoning.add(self.jobs.endpoint, self.jobs.started, self.jobs.deliveries(), cut)
        say(f"    {self.name}: {reckoning}")
        ended = [way for way in self.ways if way not in self.waits]
        reckoning.wrong += [f"{way.name}: nothing of it was on its way" for way in ended if not way.under_way_at(self.begun)]
        for way in self.waits:
            say(f"    {way.name} waits: {way.lacking('succeeded')}")
        if reckoning.wrong:
            raise Failed("\n    ".join([f"{self.name}: this is amiss:", *reckoning.wrong]))
