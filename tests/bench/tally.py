"""What a run used, function by function."""

import collections
import dataclasses

from proxy import Call, waves

# Fan-out alone writes so, and nothing else than the list of events.
LISTING = "BatchWriteItem"


@dataclasses.dataclass
class Use:
    """What one function used over its invocations."""

    invocations: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    waves: int = 0
    read: float = 0.0
    log_bytes: int = 0
    calls: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    # Units by their tables and indexes, without those of the list of events, which are a batch's and no delivery's.
    written: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    listed: float = 0.0

    @property
    def write(self) -> float:
        return sum(self.written.values())

    def add(self, calls: list[Call], cpu: float, seconds: float, log_bytes: int) -> None:
        self.invocations += 1
        self.cpu += cpu
        self.seconds += seconds
        self.log_bytes += log_bytes
        self.waves += waves(calls)
        for call in calls:
            self.calls[call.name] += 1
            if call.operation == LISTING:
                self.listed += call.units.write
            else:
                self.written.update(call.units.written)
            self.read += call.units.read


@dataclasses.dataclass
class Tally:
    """A run: so many deliveries (or messages), and what they used."""

    deliveries: int = 0
    requests: int = 0
    sent_bytes: int = 0
    answered_bytes: int = 0
    # Connections that were opened for it, those of them whose TLS was resumed, and batches that waited for one.
    connections: int = 0
    resumed: int = 0
    connecting: int = 0
    scheduled: int = 0
    # Receives and deletes of queue batches, which Lambda's poller makes for us, and what Scheduler sends.
    queue_calls: int = 0
    # Megabytes resident at the most, by function.
    memory: dict[str, float] = dataclasses.field(default_factory=dict)
    uses: dict[str, Use] = dataclasses.field(default_factory=lambda: collections.defaultdict(Use))

    @property
    def write(self) -> float:
        return sum(use.write for use in self.uses.values()) / self.deliveries

    @property
    def listed(self) -> float:
        return sum(use.listed for use in self.uses.values()) / self.deliveries

    @property
    def read(self) -> float:
        return sum(use.read for use in self.uses.values()) / self.deliveries

    @property
    def cpu(self) -> float:
        return sum(use.cpu for use in self.uses.values()) / self.deliveries

    @property
    def calls(self) -> float:
        return sum(use.calls.total() for use in self.uses.values()) / self.deliveries

    def by_place(self, tables: dict[str, str]) -> dict[str, float]:
        """Write units per delivery by table and, beside it, by index; `tables` has the deployed names by their short ones."""
        short = {deployed: name for name, deployed in tables.items()}
        places: collections.Counter = collections.Counter()
        for use in self.uses.values():
            for place, units in use.written.items():
                table, _, index = place.partition(" ")
                places[f"{short[table]} {index}".strip()] += units
        return {place: units / self.deliveries for place, units in sorted(places.items())}

    def by_call(self) -> dict[str, float]:
        """Calls per delivery by function and name."""
        return {
            f"{function} {name}": count / self.deliveries
            for function, use in self.uses.items()
            for name, count in sorted(use.calls.items())
        }
