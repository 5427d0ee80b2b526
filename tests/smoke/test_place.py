"""Where a run works: it takes nobody's place, and removes what a run that died has left."""

import contextlib
import datetime
import io
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from smoke.place import LEFT_BEHIND, PLACES, take
from smoke.rows import Hindered

NOW = datetime.datetime.now(datetime.UTC)
YOUNG, OLD = (NOW - age for age in (datetime.timedelta(minutes=1), LEFT_BEHIND + datetime.timedelta(minutes=1)))


class Operator:
    """The API as far as places go: tenants by their places, and provider keys."""

    def __init__(self, tenants: dict[int, dict], keys: list[dict]) -> None:
        self.tenants = tenants
        self.keys = keys
        self.called: list[str] = []
        self.is_quicker: set[int] = set()

    def call(self, method: str, path: str, body: dict | None = None, *, expect: int = 200) -> dict:
        status, told = self.ask(method, path, body)
        assert status == expect, (method, path, status)
        return told

    def ask(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        self.called.append(f"{method} {path}")
        if path.startswith("/v1/keys"):
            return 200, {"keys": self.keys, "pagination": {"has_more": False, "next_cursor": None}}
        place = int(path.rsplit("-", 1)[1])
        if method == "GET":
            return (200, self.tenants[place]) if place in self.tenants else (404, {})
        if method == "PUT":
            return (200 if place in self.is_quicker else 201), {"id": f"ten_{place}", **(body or {})}
        return 202, {}


def tenant(created: datetime.datetime, status: str = "active") -> dict:
    return {"id": "ten_x", "created_at": created.isoformat(), "status": status}


def taken(operator: Any, noted: list[int] | None = None) -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()):
        return take(operator, ([] if noted is None else noted).append)


class Places(unittest.TestCase):
    def test_the_first_that_is_free_is_taken(self):
        self.assertEqual(taken(Operator({}, [])), (1, "ten_1"))
        self.assertEqual(taken(Operator({1: tenant(OLD, "deleting"), 2: tenant(YOUNG)}, [])), (3, "ten_3"))

    def test_what_a_run_has_left_goes_and_what_one_works_with_stays(self):
        operator = Operator({1: tenant(OLD), 2: tenant(YOUNG)}, [])
        self.assertEqual(taken(operator), (3, "ten_3"))
        self.assertEqual(
            [line for line in operator.called if line.startswith("DELETE")], ["DELETE /v1/tenants/ext:postrider-smoke-1"]
        )

    def test_of_two_at_once_one_goes_on(self):
        operator = Operator({}, [])
        operator.is_quicker = {1}
        noted: list[int] = []
        self.assertEqual(taken(operator, noted), (2, "ten_2"))
        self.assertEqual(noted, [1, 0, 2], "another run's tenant is not this one's to take away")

    def test_where_all_are_in_use_it_says_so(self):
        with self.assertRaisesRegex(Hindered, "try again in ten minutes"):
            taken(Operator({place: tenant(YOUNG) for place in range(1, PLACES + 1)}, []))

    def test_old_keys_of_its_own_go_and_no_others(self):
        keys = [("postrider-smoke-1", OLD), ("postrider-smoke-2", YOUNG), ("of somebody's", OLD), (None, OLD)]
        told = [
            {"id": f"key_{number}", "created_at": at.isoformat(), **({"name": name} if name else {})}
            for number, (name, at) in enumerate(keys)
        ]
        operator = Operator({}, told)
        taken(operator)
        self.assertEqual([line for line in operator.called if line.startswith("DELETE")], ["DELETE /v1/keys/key_0"])


if __name__ == "__main__":
    unittest.main()
