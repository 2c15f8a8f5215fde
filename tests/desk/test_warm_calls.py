"""A warm function answers from the process it has, over the connections it has."""

import sys

import psutil
import pytest

from tests.desk.conftest import Desk

WARM = "FunctionsHealthFunction"


def connections(desk: Desk) -> set[tuple[int, int]]:
    """The established connections to the AWS APIs of the processes of `health`: process and own port."""
    engine = desk.json("status")["engine"]
    return {
        (child.pid, connection.laddr.port)
        for child in psutil.Process(engine["pid"]).children(recursive=True)
        if WARM in child.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
        for connection in child.net_connections(kind="tcp")
        if connection.status == psutil.CONN_ESTABLISHED and connection.raddr.port == engine["port"]
    }


@pytest.mark.req("X1")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which process is which function's")
def test_call_after_call_goes_over_the_same_connections(desk: Desk) -> None:
    for _ in range(3):
        assert desk.call("GET", "/health").status_code == 200
    before = connections(desk)
    assert before, "a warm function keeps a connection to each service it asked"
    for _ in range(10):
        assert desk.call("GET", "/health").status_code == 200
    after = connections(desk)
    assert after & before, "the process was replaced between two calls"
    assert not {one for one in after - before if one[0] in {pid for pid, _ in before}}
