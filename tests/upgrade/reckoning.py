"""The reckoning of what was on its way: what was sent, how often, and whether the ledger knows of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from endpoints import Endpoint, Post

# A function that was replaced may have had its answer for so long, and not have recorded it.
UNRECORDED = 5


@dataclass
class Reckoning:
    """Sums over all endpoints; what is amiss stands in `wrong`."""

    events: set[str] = field(default_factory=set)
    deliveries: int = 0
    posts: int = 0
    # Accepted once more than once, by event and endpoint: those of which the ledger has each POST, and those of which a function
    # was ended between a POST and its record.
    doubles_on_record: int = 0
    doubles_cut_off: int = 0
    # POSTs that no ledger knows of, refused ones too.
    unrecorded: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, endpoint: Endpoint, expected: Iterable[str], rows: list[dict], cut: list[tuple[float, float]]) -> None:
        """One endpoint's. `rows` are its deliveries as the API shows them, by an event or by a job; `cut` says from when to when
        functions were replaced."""
        expected = list(expected)
        posts: dict[str, list[Post]] = {}
        for post in endpoint.posts:
            posts.setdefault(post.event, []).append(post)
        found = Counter(row.get("job_id") or row["event_id"] for row in rows)
        for event, number in Counter(expected).items():
            if number != 1 or found[event] != 1:
                self.wrong.append(f"{endpoint.name}: {event} has {found[event]} deliveries and was published {number} times")
        self.wrong += [f"{endpoint.name}: {event} was never published" for event in (found.keys() | posts.keys()) - set(expected)]
        self.wrong += endpoint.forged
        self.events |= set(expected)
        for row in rows:
            self._add_delivery(endpoint.name, row, posts.get(row.get("job_id") or row["event_id"], []), cut)

    def _add_delivery(self, name: str, row: dict, posts: list[Post], cut: list[tuple[float, float]]) -> None:
        self.deliveries += 1
        self.posts += len(posts)
        accepted = sum(200 <= post.status < 300 for post in posts)
        if row["status"] != "succeeded" or accepted == 0:
            self.wrong.append(f"{name}: {row['event_id']} is {row['status']}, and {accepted} of {len(posts)} POSTs were accepted")
        unrecorded = max(0, len(posts) - len(row["attempts"]))
        replaced = sum(any(post.at <= ended and begun <= post.until + UNRECORDED for begun, ended in cut) for post in posts)
        if unrecorded > replaced:
            self.wrong.append(
                f"{name}: {unrecorded} POSTs of {row['event_id']} are on no record, {replaced} were out while functions changed"
            )
        self.unrecorded += unrecorded
        doubles = max(0, accepted - 1)
        self.doubles_cut_off += min(doubles, unrecorded)
        self.doubles_on_record += max(0, doubles - unrecorded)

    def __str__(self) -> str:
        doubles = self.doubles_cut_off + self.doubles_on_record
        return (
            f"{len(self.events)} events, {self.deliveries} deliveries, {self.posts} POSTs; accepted again: {doubles}, of which "
            f"{self.doubles_cut_off} since a function was replaced before it could record it, and {self.doubles_on_record} on "
            f"record; {self.unrecorded} POSTs are not on record"
        )
