"""Figures and the lines they come from survive a restart together: counted once, none forgotten."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from bellwether.desk import engine, figures
from bellwether.desk.home import Home
from bellwether.desk.lock import DeskLock
from bellwether.desk.tools import engine_python
from tests.conftest import free_port
from tests.unit.desk.test_engine_figures import recorded

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture
def home(tmp_path: Path, engine_tools: Path) -> Home:
    (tmp_path / "tools").symlink_to(engine_tools, target_is_directory=True)
    return Home.open(tmp_path)


def start(home: Home, port: int) -> engine.Running:
    python = engine_python(home)
    lock = DeskLock(home.lock)
    lock.acquire()
    try:
        return engine.start(home, python, lock, port=port)
    finally:
        lock.release()


def client(running: engine.Running, name: str) -> Any:
    make: Callable[..., Any] = boto3.client
    return make(
        name,
        endpoint_url=running.url,
        region_name=engine.REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def log(running: engine.Running, times: int) -> None:
    """Logs as a function does that has answered so many requests."""
    at = int(time.time() * 1000)
    events = [{"timestamp": at, **event} for event in recorded(times)]
    client(running, "logs").put_log_events(logGroupName="f", logStreamName="s", logEvents=events)


def counted(running: engine.Running) -> tuple[float, float]:
    """Samples and sum of one figure, as CloudWatch tells them."""
    now = datetime.now(UTC)
    points = client(running, "cloudwatch").get_metric_statistics(
        Namespace=figures.NAMESPACE,
        MetricName="Answers",
        Dimensions=[{"Name": "service", "Value": "bellwether"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3_600,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    return sum(point["SampleCount"] for point in points), sum(point["Sum"] for point in points)


@pytest.mark.req("B2")
def test_a_restart_and_a_kill_count_nothing_twice(home: Home) -> None:
    port = free_port()
    running = start(home, port)
    try:
        logs = client(running, "logs")
        logs.create_log_group(logGroupName="f")
        logs.create_log_stream(logGroupName="f", logStreamName="s")
        log(running, 30)
        assert counted(running) == (30, 30)
        engine.stop(home)
        running = start(home, port)
        assert counted(running) == (30, 30)
        log(running, 5)
        running.checkpoint()
        os.kill(running.pid, signal.SIGKILL)
        os.waitpid(running.pid, 0)
        running = start(home, port)
        assert counted(running) == (35, 35)
        assert figures.today(running)["Answers"] == 35
    finally:
        engine.stop(home)
