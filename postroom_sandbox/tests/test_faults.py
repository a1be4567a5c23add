from __future__ import annotations

from typing import Any

import pytest

from postroom_sandbox.faults import Faults


def faults(*rules: dict[str, Any], **more: Any) -> Faults:
    made = Faults()
    made.configure({"rules": list(rules), **more})
    return made


def statuses(made: Faults, count: int, path: str = "/v1.0/me/messages") -> list[int]:
    found = [made.for_request("GET", path) for _ in range(count)]
    return [fault.status if fault else 0 for fault in found]


def test_no_rules_no_accidents() -> None:
    assert faults().for_request("GET", "/v1.0/me") is None


def test_the_nth_call_is_hit_and_only_that() -> None:
    assert statuses(faults({"nth": 2, "status": 503}), 4) == [0, 503, 0, 0]
    assert statuses(faults({"nth": [1, 3], "status": 503}), 4) == [503, 0, 503, 0]
    assert statuses(faults({"nth": 2, "times": 2, "status": 503}), 4) == [0, 503, 503, 0]


def test_times_bounds_how_often() -> None:
    assert statuses(faults({"times": 2, "status": 500}), 4) == [500, 500, 0, 0]


def test_rates_repeat_exactly_for_a_seed() -> None:
    rule = {"rate": 0.3, "status": 500}
    once, again = statuses(faults(rule, seed=7), 200), statuses(faults(rule, seed=7), 200)
    assert once == again != statuses(faults(rule, seed=8), 200)
    assert 30 < once.count(500) < 90


def test_rules_match_method_path_and_mailbox() -> None:
    made = faults({"match": {"method": "post", "path": "*/send", "mailbox": "a@x.example"}, "status": 504})
    assert made.for_request("GET", "/v1.0/me/messages/1/send", mailbox="a@x.example") is None
    assert made.for_request("POST", "/v1.0/me/messages/1/send", mailbox="b@x.example") is None
    assert made.for_request("POST", "/v1.0/me/messages/1/send", mailbox="A@X.example") is not None
    assert faults({"match": {"path": "/v1.0/me"}, "status": 500}).for_request("GET", "/v1.0/me/x") is not None


def test_rules_combine() -> None:
    made = faults({"latency_ms": 20}, {"latency_ms": [10, 10], "status": 429, "retry_after": 1.5}, {"truncate": True})
    fault = made.for_request("GET", "/v1.0/me")
    assert fault is not None
    assert (fault.status, fault.retry_after, fault.truncate) == (429, "1.5", -1)
    assert fault.latency == pytest.approx(0.03)


def test_a_spared_token_meets_no_accidents() -> None:
    made = faults({"status": 500}, except_token="mine")
    assert made.for_request("GET", "/v1.0/me", token="mine") is None
    assert made.for_request("GET", "/v1.0/me", token="other") is not None


def test_notification_rules_leave_requests_alone() -> None:
    made = faults(
        {"notifications": {"drop": True}, "nth": 1}, {"notifications": {"delay_ms": [5, 5], "duplicate": True}}
    )
    assert made.for_request("GET", "/v1.0/me") is None
    first, second = made.for_notification("a@x.example"), made.for_notification("a@x.example")
    assert (first.drop, first.duplicate, first.delay_ms) == (True, True, 5)
    assert (second.drop, second.duplicate, second.reorder) == (False, True, False)


@pytest.mark.parametrize(
    "rule",
    [
        {"sttus": 500},
        {"status": 200},
        {"rate": 2},
        {"rate": "often"},
        {"nth": 0},
        {"reset": "sometimes"},
        {"latency_ms": [1]},
        {"match": {"host": "x"}},
        {"notifications": {"lose": True}},
        "503",
    ],
)
def test_senseless_rules_are_refused(rule: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        faults(rule)
