"""One worker at a time at one batch: what is stored beside the sums is what is in them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bellwether.domain.problems import Held, Unavailable
from bellwether.usecases.leases import LEASE
from bellwether.usecases.ports import BatchMessage
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, post

pytestmark = pytest.mark.req("C4")

DAY = ("BEACON", "20261120")
AFTER_THE_LEASE = (
    "raw.get",
    "claims.locate",
    "claims.claim_clusters",
    "states.applied",
    "states.get",
    "signals.put",
    "states.apply",
    "changes.publish",
)


class _Meanwhile:
    """A port at whose first call of one method something else happens, before it or after it."""

    def __init__(self, port: Any, method: str, happens: Callable[[], None], *, after: bool = False) -> None:
        self._port, self._method, self._happens, self._after = port, method, happens, after
        self.happened = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name != self._method or self.happened:
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            self.happened = True
            if not self._after:
                self._happens()
            answer = method(*arguments, **named)
            if self._after:
                self._happens()
            return answer

        return call


class _NoLeases:
    """Claims that give a batch to whoever asks."""

    def __init__(self, claims: Any) -> None:
        self._claims = claims

    def __getattr__(self, name: str) -> Any:
        return getattr(self._claims, name)

    def lease(self, *_: Any) -> str:
        return "anybody's"


def batch_of_ann(desk: MemoryDesk) -> BatchMessage:
    """A batch of one author, whose every further post on the day weighs less."""
    desk.send([post(author="ann")])
    (message,) = desk.messages()
    return message


def stored(desk: MemoryDesk) -> float:
    """The evidence of the asset's signals, added up."""
    return sum(signal.evidence for signal in desk.ports.signals.of_day(*DAY))


def summed(desk: MemoryDesk) -> float:
    """The evidence in the asset's sums; the posts' weight is doubled every 24 hours from midnight on."""
    return desk.ports.states.get([DAY])[DAY].agents["sentiment@24.0"].weight / 2 ** (12 / 24)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", AFTER_THE_LEASE)
def test_a_second_delivery_in_the_middle_of_the_first_waits(call: str, after: bool) -> None:
    desk = MemoryDesk()
    port, _, method = call.partition(".")
    message = batch_of_ann(desk)

    def again() -> None:
        with pytest.raises(Held) as held:
            desk.process(message, now=NOW + timedelta(seconds=1))
        assert held.value.seconds == LEASE.total_seconds() - 1
        desk.take_in([post(author="ann")])

    watched = _Meanwhile(getattr(desk.ports, port), method, again, after=after)
    assert desk.processor(**{port: watched})(message, now=NOW).signals == 1
    assert watched.happened
    assert stored(desk) == pytest.approx(summed(desk))
    assert desk.process(message, now=NOW + LEASE).signals == 0
    assert len(desk.ports.changes.after(None)) == 2, "one for each batch"


def test_without_the_lease_the_loser_would_leave_what_nobody_summed() -> None:
    """The race itself, so that the tests above cannot pass for want of one: the loser meets the batch's own
    words in the state, takes them for a copy, and writes that over the winner's signal.
    """
    desk = MemoryDesk()
    message = batch_of_ann(desk)
    claims = _NoLeases(desk.ports.claims)

    def winner() -> None:
        desk.processor(claims=claims)(message, now=NOW)

    states = _Meanwhile(desk.ports.states, "applied", winner, after=True)
    desk.processor(claims=claims, states=states)(message, now=NOW)
    assert summed(desk) == pytest.approx(0.99)
    assert stored(desk) == 0.0


def killed(desk: MemoryDesk, message: BatchMessage, now: datetime = NOW) -> None:
    """A worker that dies with its signals stored and its sums not."""

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.processor(states=_Meanwhile(desk.ports.states, "apply", die))(message, now=now)


def test_the_batch_of_a_killed_worker_is_taken_over_when_its_lease_has_ended() -> None:
    desk = MemoryDesk()
    message = batch_of_ann(desk)
    killed(desk, message)
    desk.take_in([post(author="ann")])
    with pytest.raises(Held) as held:
        desk.process(message, now=NOW + LEASE - timedelta(microseconds=1))
    assert held.value.seconds == 1
    assert desk.process(message, now=NOW + LEASE).signals == 1
    assert stored(desk) == pytest.approx(summed(desk)) == pytest.approx(0.99 * (1 + 1 / 2))


def test_a_failure_gives_the_batch_back_at_once() -> None:
    desk = MemoryDesk()
    message = batch_of_ann(desk)

    def fail() -> None:
        raise Unavailable("throttled")

    with pytest.raises(Unavailable, match="throttled"):
        desk.processor(signals=_Meanwhile(desk.ports.signals, "put", fail))(message, now=NOW)
    assert desk.process(message, now=NOW).signals == 1


def test_a_failure_is_told_even_when_the_lease_cannot_be_given_back() -> None:
    desk = MemoryDesk()
    message = batch_of_ann(desk)

    def fail() -> None:
        raise Unavailable("throttled")

    def fail_too() -> None:
        raise Unavailable("gone altogether")

    worker = desk.processor(
        signals=_Meanwhile(desk.ports.signals, "put", fail),
        claims=_Meanwhile(desk.ports.claims, "release", fail_too),
    )
    with pytest.raises(Unavailable, match="throttled"):
        worker(message, now=NOW)
    with pytest.raises(Held):
        desk.process(message, now=NOW)
    assert desk.process(message, now=NOW + LEASE).signals == 1


def test_when_all_workers_are_known_to_be_dead_recovery_does_not_wait_for_their_leases() -> None:
    desk = MemoryDesk()
    message = batch_of_ann(desk)
    killed(desk, message, NOW + timedelta(seconds=5))
    now = NOW + timedelta(seconds=10)
    for dead_before in (None, NOW + timedelta(seconds=4)):
        desk.recovery(since=NOW - timedelta(days=1), now=now, dead_before=dead_before)
        (again,) = desk.messages()
        with pytest.raises(Held):
            desk.process(again, now=now)
    desk.recovery(since=NOW - timedelta(days=1), now=now, dead_before=NOW + timedelta(seconds=5))
    (again,) = desk.messages()
    assert desk.process(again, now=now).signals == 1
    assert stored(desk) == pytest.approx(summed(desk))
