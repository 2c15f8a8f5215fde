"""More at once than a part of the desk takes: refused in words, and no longer than it lasts."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.desk.conftest import Desk


@pytest.mark.req("X4", "C1")
def test_what_comes_all_at_once_is_turned_away_and_told_to_try_again(desk: Desk) -> None:
    with ThreadPoolExecutor(24) as callers:
        answers = list(callers.map(lambda _: desk.call("GET", "/health"), range(96)))
    assert {answer.status_code for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert refused.json()["status"] == 429
    assert "lambda" not in refused.text.lower()
    assert "Function" not in refused.text
    until = time.monotonic() + 30
    while desk.call("GET", "/health").status_code != 200:
        assert time.monotonic() < until, "still turned away"
        time.sleep(0.5)
