"""The hourly run that brings back what was stored and not worked off, on ports in memory."""

from datetime import timedelta

import pytest

from bellwether.domain.problems import NotFound
from bellwether.handlers import recover
from bellwether.handlers.scheduled_function import Failed
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, part, post

pytestmark = pytest.mark.req("C4", "C5")
SCHEDULED = {"source": "bellwether.schedule", "schedule": "recover"}


def run(desk: MemoryDesk) -> dict[str, object]:
    parts = recover.Parts(recover=desk.recovery, clock=lambda: NOW)
    return recover.handler.serve(SCHEDULED, Context(300_000), lambda: parts)


def killed_after_storing(desk: MemoryDesk, hours: float) -> None:
    at = NOW - timedelta(hours=hours)
    desk.send([post(published_at=at), post(published_at=at)], at=at)
    desk.messages()


def test_a_batch_whose_function_was_killed_before_it_was_queued_is_worked_off() -> None:
    desk = MemoryDesk()
    killed_after_storing(desk, hours=2)
    told = run(desk)
    assert (told["batches_requeued"], told["items_claimed"]) == (1, 2)
    desk.work()
    assert part(desk.score()).signals == 2
    assert run(desk)["batches_requeued"] == 0


@pytest.mark.parametrize("hours", [0.2, 6])
def test_a_batch_on_its_way_or_long_given_up_is_left_alone(hours: float) -> None:
    desk = MemoryDesk()
    killed_after_storing(desk, hours=hours)
    assert run(desk)["batches_requeued"] == 0


def test_what_holds_no_batch_is_told_by_its_key(logged: Logged) -> None:
    desk = MemoryDesk()
    killed_after_storing(desk, hours=2)

    def get(key: str) -> None:
        raise NotFound(f"{key} holds no batch")

    desk.ports.raw.get = get  # type: ignore[method-assign,assignment]
    assert run(desk)["unreadable"] == 1
    (line,) = [line for line in logged() if line["message"] == "objects hold no batch"]
    assert line["keys"][0].startswith("raw-data/")


def test_a_run_that_fails_is_repeated_by_its_schedule(logged: Logged) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("private")

    desk = MemoryDesk()
    desk.ports.raw.keys = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(Failed, match="RuntimeError"):
        run(desk)
    assert "private" not in str(logged())
