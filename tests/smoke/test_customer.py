"""What a run leaves behind where it is interrupted or refused at the worst of moments: nothing."""

import sys
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from smoke.customer import Customer
from smoke.patience import Patience
from smoke.rows import Finding
from step import Failed

TENANT, KEYS, TYPE = "/v1/tenants/ext:postrider-smoke-1", "/v1/keys", "/v1/event-types/postrider.smoke.1.first"


class Operator:
    """The API with what is there by its path; `breaks` says at which call nobody hears the answer, and what is heard instead."""

    url = "https://api.example"

    def __init__(self, breaks: str = "", with_what: type[BaseException] | int = KeyboardInterrupt) -> None:
        self.there: dict[str, dict] = {}
        self.breaks = breaks
        self.with_what = with_what
        self.refuses: dict[str, int] = {}

    def call(self, method: str, path: str, body: dict | None = None, *, expect: int = 200) -> dict:
        status, told = self.ask(method, path, body)
        if status != expect:
            raise Failed(f"{method} {path} answered {status}")
        return told

    def ask(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        answer = self._answer(method, path, body or {})
        if f"{method} {path}" == self.breaks:
            self.breaks = ""
            if isinstance(self.with_what, int):
                return self.with_what, {}
            raise self.with_what
        return answer

    def _answer(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        if (refused := self.refuses.get(f"{method} {path}")) is not None:
            return refused, {}
        match method:
            case "GET" if path == KEYS:
                keys = [told for at, told in self.there.items() if at.startswith(f"{KEYS}/")]
                return 200, {"keys": keys, "pagination": {"has_more": False, "next_cursor": None}}
            case "GET":
                return (200, self.there[path]) if path in self.there else (404, {})
            case "DELETE":
                return (202, {}) if self.there.pop(path, None) else (404, {})
            case "POST" if path.startswith("/v1/tenants/"):
                return 201, {"key": "of the tenant"}
            case "POST":
                at = f"{path}/{body['name'] if path == '/v1/event-types' else 'key_1'}"
                self.there[at] = {"id": "key_1", "key": "k", "created_at": "2999-01-01T00:00:00+00:00", **body}
                return 201, self.there[at]
            case _:
                self.there[path] = {"id": "ten_1", **body}
                return 201, self.there[path]


def made(operator: Any) -> Customer:
    return Customer(operator, Patience(), ["first"])


@mock.patch("time.sleep", lambda _: None)
class Leaving(unittest.TestCase):
    def test_all_that_was_made_goes(self):
        operator = Operator()
        one = made(operator)
        one.sign_up()
        self.assertEqual(operator.there.keys(), {TENANT, f"{KEYS}/key_1", TYPE})
        self.assertRegex(one.leave(), "^2 things are deleted, and tenant ten_1 is a deleted one")
        self.assertEqual(operator.there, {})

    def test_whoever_is_interrupted_before_he_hears_of_a_thing_takes_it_away_all_the_same(self):
        for call in (f"PUT {TENANT}", f"POST {KEYS}", "POST /v1/event-types"):
            operator = Operator(call)
            one = made(operator)
            with self.assertRaises(KeyboardInterrupt):
                one.sign_up()
            self.assertIn(TENANT, operator.there, "it was made")
            one.leave()
            self.assertEqual(operator.there, {}, call)

    def test_a_tenant_whose_making_failed_as_it_seemed_goes_too(self):
        for answer in (503, Failed):
            operator = Operator(f"PUT {TENANT}", answer)
            one = made(operator)
            with self.assertRaises(Failed):
                one.sign_up()
            self.assertRegex(one.leave(), "ext:postrider-smoke-1 is a deleted one")
            self.assertEqual(operator.there, {}, answer)

    def test_another_runs_tenant_stays(self):
        operator = Operator(f"PUT {TENANT}", 200)
        one = made(operator)
        one.sign_up()
        self.assertEqual(one.place, 2)
        one.leave()
        self.assertEqual(operator.there.keys(), {TENANT})

    def test_a_key_of_another_place_stays(self):
        operator = Operator()
        operator.there[f"{KEYS}/key_2"] = {"id": "key_2", "name": "postrider-smoke-2", "created_at": "2999-01-01T00:00:00+00:00"}
        one = made(operator)
        one.sign_up()
        one.leave()
        self.assertEqual(operator.there.keys(), {f"{KEYS}/key_2"})

    def test_what_the_operators_key_is_refused_is_not_deleted(self):
        for path, name in ((TENANT, "the tenant"), (f"{KEYS}/key_1", "the provider key"), (TYPE, "the event type")):
            operator = Operator()
            one = made(operator)
            one.sign_up()
            operator.refuses[f"DELETE {path}"] = 401
            with self.assertRaisesRegex(Finding, f"not deleted: {name}"):
                one.leave()

    def test_a_webhook_whose_key_has_ended_goes_with_its_tenant(self):
        operator, owner = Operator(), Operator()
        one = made(operator)
        one.sign_up()
        with mock.patch.object(one, "api", owner):
            receiver: Any = mock.Mock(url="https://api.example/v1/smoke/x")
            with mock.patch.object(owner, "ask", return_value=(201, {"id": "whk_1"})):
                one.webhook("first", receiver, "s", [])
        with mock.patch.object(owner, "ask", return_value=(401, {})):
            self.assertRegex(one.leave(), "^3 things are deleted")


if __name__ == "__main__":
    unittest.main()
