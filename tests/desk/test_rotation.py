"""A machine's API key is exchanged by the deployed function, asked as Secrets Manager would ask it."""

import httpx
import pytest

from tests.desk.conftest import Desk
from tests.desk.key_exchange import rotate, secret_named, value_of


@pytest.mark.req("S2", "C2", "A1")
def test_a_machine_gets_in_with_the_key_of_its_secret(desk: Desk) -> None:
    secret = secret_named(desk, "ClientCollector")
    first = value_of(desk, secret)
    rotate(desk, secret)
    second = value_of(desk, secret)
    assert second["name"] == first["name"] == "collector"
    assert second["key"] != first["key"]
    assert len(value_of(desk, secret_named(desk, "ApiClients"))["collector"]) == 2
    for key, expected in ((second["key"], 200), (first["key"], 200), ("nobody's key", 401)):
        answer = httpx.get(f"{desk.api_url}/metrics", headers={"X-Api-Key": key}, timeout=60)
        assert answer.status_code == expected, answer.text
