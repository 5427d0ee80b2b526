"""Two customers of a stack, with deliveries of every outcome, and later with some that are under way."""

from endpoints import Endpoints
from ground import Ground, Patience
from ledger import Owner
from traffic import MANY_WAITS, Customer, Kind, Way

# What has ended, 200 events in all.
ENDED = [
    Kind("taken", 120),
    Kind("retried", 20, {"retry_schedule": MANY_WAITS}, status=422),
    Kind("refused", 20, {"retry_schedule": []}, status=422),
    Kind("rotated", 20, rotated=True),
    Kind("headed", 20, {"headers": {"x-own": "a value that is sealed"}}),
]
# What has not: tried in vain and due again; with a delivery that no message speaks of; without any delivery.
DUE, UNSENT, UNSEEN = (
    Kind("due", 10, {"retry_schedule": MANY_WAITS}, status=422),
    Kind("unsent", 5),
    Kind("unseen", 5),
)


class Customers:
    def __init__(self, ground: Ground, endpoints: Endpoints) -> None:
        self.all = [Customer(ground, name) for name in ("one", "other")]
        self.endpoints = endpoints
        self.ended = [Way(self.all[number % 2], endpoints, kind, "ended") for number, kind in enumerate(ENDED)]
        self.under_way: list[Way] = []

    @property
    def owners(self) -> list[Owner]:
        return [Owner(customer.tenant, customer.keys["standard"]) for customer in self.all]

    def call(self, ground: Ground) -> None:
        """From now on they call the API of that stack, with their keys of before."""
        for customer in self.all:
            customer.ground = ground

    def let_200_end(self) -> None:
        for way in self.ended:
            way.begin()
        for way in self.ended:
            if way.kind.name == "retried":
                way.until_tried()
                way.mend()
        for way in self.ended:
            until(way, "failed" if way.kind.name == "refused" else "succeeded")

    def begin(self, kind: Kind) -> Way:
        """One more kind of traffic, which does not end."""
        way = Way(self.all[0], self.endpoints, kind, "under_way")
        way.begin()
        self.under_way.append(way)
        return way

    def posts(self) -> dict[str, int]:
        """How many there were so far, by webhook and event."""
        return {
            f"{way.name}, {event}": sum(post.event == event for post in way.endpoint.posts)
            for way in (*self.ended, *self.under_way)
            for event in way.expected
        }

    def forged(self) -> list[str]:
        return [forged for way in (*self.ended, *self.under_way) for forged in way.endpoint.forged]


def until(way: Way, status: str) -> None:
    patience = Patience(f"all of {way.name} is to be {status}")
    while lacking := way.lacking(status):
        patience.wait(lacking)
