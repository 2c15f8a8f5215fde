"""Each alarm of production fires when it must, stays quiet just below, and ends.

The alarm's own definition is taken from the template and evaluated as CloudWatch would; what happens to the
desk is written here by hand, in the words of the requirement and not of the template.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from infrastructure.constructs.account_alarms import WATCHED
from tests.alarms.composites import holds
from tests.alarms.evaluation import Metric, Samples, State, metrics_of, period_of, rule_of, states
from tests.infrastructure.synthesis import Resource, Synthesis

Happening = Mapping[str, Sequence[float]]
"""Samples of one period by metric name."""


@dataclass(frozen=True)
class Story:
    """`calm` is an ordinary period, `bad` one that must alarm after `minutes`, each of `fine` one that must
    not, however long it lasts.
    """

    calm: Happening
    bad: Happening
    minutes: int
    fine: Sequence[Happening]


def of(
    name: str, *, calm: Sequence[float], bad: Sequence[float], minutes: int, fine: Sequence[float]
) -> Story:
    return Story({name: calm}, {name: bad}, minutes, [{name: fine}])


STORIES: Mapping[str, Story] = {
    "server-errors": of(
        "5XXError", calm=[0] * 100, bad=[1] * 6 + [0] * 94, minutes=5, fine=[1] * 5 + [0] * 95
    ),
    "slow-answers": of(
        "Latency",
        calm=[120] * 100,
        bad=[120] * 94 + [2_600] * 6,
        minutes=10,
        fine=[120] * 80 + [1_990] * 16 + [9_000] * 4,
    ),
    "authorizer-faults": of("AuthorizerFaults", calm=[], bad=[1] * 4, minutes=5, fine=[1] * 3),
    "dead-letters": of("ApproximateNumberOfMessagesVisible", calm=[0], bad=[1], minutes=1, fine=[0]),
    "ingest-lag": of("ApproximateAgeOfOldestMessage", calm=[2], bad=[301], minutes=5, fine=[300]),
    "projection-lag": of("ApproximateAgeOfOldestMessage", calm=[1], bad=[121], minutes=5, fine=[120]),
    "stream-lag": of("IteratorAge", calm=[40], bad=[60_001], minutes=5, fine=[60_000]),
    "function-errors": of(
        "Errors", calm=[0] * 50, bad=[1] * 4 + [0] * 46, minutes=5, fine=[1] * 3 + [0] * 47
    ),
    "throttles": of("Throttles", calm=[0], bad=[1] * 11, minutes=5, fine=[1] * 10),
    "spill-over": of(
        "ProvisionedConcurrencySpilloverInvocations", calm=[0], bad=[1] * 51, minutes=15, fine=[1] * 50
    ),
    "table-throttles": Story(
        {},
        {"ReadThrottleEvents": [5], "WriteThrottleEvents": [6]},
        5,
        [{"WriteThrottleEvents": [10]}, {"ReadThrottleEvents": [4], "WriteThrottleEvents": [6]}],
    ),
    "agent-failures": of("AgentFailures", calm=[0], bad=[20, 6], minutes=5, fine=[20, 5]),
    "broken-ledger": of("BrokenLedgerLinks", calm=[], bad=[1], minutes=5, fine=[]),
    "no-items": of("ItemsAccepted", calm=[12], bad=[], minutes=120, fine=[1]),
    "no-signals": Story(
        {"ItemsAccepted": [80], "Signals": [30]},
        {"ItemsAccepted": [25, 25], "Signals": [0, 0]},
        60,
        [{"ItemsAccepted": [49], "Signals": [0]}, {"ItemsAccepted": [500], "Signals": [1]}, {}],
    ),
    "failed-sign-ins": of(
        "SignInSuccesses", calm=[1] * 9, bad=[1] * 9 + [0] * 21, minutes=5, fine=[1] * 500 + [0] * 20
    ),
    "unauthorized-calls": of("Unauthorized", calm=[1] * 3, bad=[1] * 101, minutes=5, fine=[1] * 100),
    "forbidden-calls": Story(
        {},
        {"Forbidden": [1] * 21, "DeniedAtGateway": [1] * 21},
        5,
        [{"Forbidden": [1] * 20, "DeniedAtGateway": [1] * 20}],
    ),
    "firewall-blocks": of("BlockedRequests", calm=[10], bad=[1_001], minutes=5, fine=[1_000]),
    "provider-failures": of("ProviderFailures", calm=[0] * 20, bad=[0, 1], minutes=60, fine=[0] * 20),
    "provider-spend": of("ProviderBudgetUsed", calm=[0.1], bad=[0.2, 0.8], minutes=20, fine=[0.2, 0.79]),
    "estimated-charges": of("EstimatedCharges", calm=[12], bad=[80.5], minutes=360, fine=[80]),
}
SILENT_MINUTES = {
    "fetch-social": 15,
    "fetch-news": 20,
    "fetch-prices": 26 * 60,
    "recover": 180,
    "comply": 180,
    "evaluate": 26 * 60,
    "back-up": 26 * 60,
    "roll-signal-tables": 26 * 60,
}


def alarms_of(synthesis: Synthesis) -> dict[str, Resource]:
    """Metric alarms by name, without the stage's prefix."""
    prefix = f"{synthesis.settings.prefix}-"
    found = synthesis.of("AWS::CloudWatch::Alarm")
    return {str(alarm.properties["AlarmName"]).removeprefix(prefix): alarm for alarm in found}


def runbook_of(alarm: Resource) -> str:
    return str(alarm.properties["AlarmDescription"]).rpartition("/")[2].removesuffix(".md")


def story_of(name: str, alarm: Resource) -> Story:
    runbook = runbook_of(alarm)
    if runbook == "account-events":
        return of_the_account(alarm.properties)
    if runbook != "silent-schedule":
        return STORIES[runbook]
    minutes = SILENT_MINUTES[name.removeprefix("silent-schedule-")]
    return of("Runs", calm=[1], bad=[], minutes=minutes, fine=[1])


def of_the_account(alarm: dict[str, Any]) -> Story:
    """From so many events on, in five minutes, as the list of what is watched says."""
    name = str(alarm["MetricName"])
    needed = WATCHED[name].threshold
    return of(name, calm=[], bad=[1] * needed, minutes=5, fine=[1] * (needed - 1))


def played(alarm: dict[str, Any], happenings: Sequence[Happening]) -> list[State]:
    """The alarm's states while these periods happen, one after the other."""
    samples: Samples = {
        metric: [happening.get(metric.name, []) for happening in happenings] for metric in metrics_of(alarm)
    }
    return states(alarm, samples, len(happenings))


def for_each_alarm(production: Synthesis, check: Callable[[str, dict[str, Any], Story], None]) -> None:
    for name, alarm in alarms_of(production).items():
        check(name, alarm.properties, story_of(name, alarm))


@pytest.mark.req("B4")
def test_each_alarm_fires_in_time_and_not_before(production: Synthesis) -> None:
    def check(name: str, alarm: dict[str, Any], story: Story) -> None:
        needed = story.minutes * 60 // period_of(alarm)
        calm = [story.calm] * 3
        assert story.minutes * 60 == needed * period_of(alarm) > 0, name
        found = played(alarm, [*calm, *[story.bad] * needed])
        assert found[-1] == "ALARM", name
        assert "ALARM" not in found[:-1], name

    for_each_alarm(production, check)


@pytest.mark.req("B4")
def test_each_alarm_stays_quiet_just_below(production: Synthesis) -> None:
    def check(name: str, alarm: dict[str, Any], story: Story) -> None:
        for fine in story.fine:
            lasting = [story.calm, *[fine] * (rule_of(alarm).looked_at + 2)]
            assert "ALARM" not in played(alarm, lasting), (name, fine)

    for_each_alarm(production, check)


@pytest.mark.req("B4")
def test_each_alarm_ends_when_things_are_well_again(production: Synthesis) -> None:
    def check(name: str, alarm: dict[str, Any], story: Story) -> None:
        rule = rule_of(alarm)
        needed = story.minutes * 60 // period_of(alarm)
        found = played(alarm, [*[story.bad] * (needed + 2), *[story.calm] * rule.looked_at])
        assert "ALARM" in found, name
        assert found[-1] == "OK", name

    for_each_alarm(production, check)


@pytest.mark.req("B4")
def test_a_night_without_traffic_alarms_for_silence_and_nothing_else(production: Synthesis) -> None:
    for name, alarm in alarms_of(production).items():
        silent = name.startswith(("silent-schedule-", "no-items"))
        assert ("ALARM" in played(alarm.properties, [{}] * 30)) == silent, name


@pytest.mark.req("B4")
def test_a_slow_alarm_does_not_fire_for_something_short(production: Synthesis) -> None:
    """Half of the time is not enough: slow answers for five of the ten minutes are none."""
    slow = alarms_of(production)["slow-answers"].properties
    story = STORIES["slow-answers"]
    assert "ALARM" not in played(slow, [story.calm, story.bad, story.calm, story.bad, story.calm])


@pytest.mark.req("B4")
def test_every_story_is_of_an_alarm_there_is(production: Synthesis) -> None:
    told = {runbook_of(alarm) for alarm in alarms_of(production).values()}
    assert told == {*STORIES, "silent-schedule", "account-events"}
    silent = {name for name in alarms_of(production) if name.startswith("silent-schedule-")}
    assert silent == {f"silent-schedule-{name}" for name in SILENT_MINUTES}


@pytest.mark.req("B4")
def test_an_alarm_looks_at_its_own_metric_alone(production: Synthesis) -> None:
    """What befalls one function, queue or table leaves the alarms of the others alone."""
    alarms = [
        alarm.properties
        for name, alarm in alarms_of(production).items()
        if name.startswith(("function-errors-", "dead-letters-", "table-throttles-"))
    ]
    read = [metric for alarm in alarms for metric in metrics_of(alarm)]
    assert len(read) == len(set(read))


def rule_text(rule: Any) -> str:
    """A composite's rule with logical ids in place of ARNs."""
    if isinstance(rule, str):
        return rule
    return "".join(p if isinstance(p, str) else p["Fn::GetAtt"][0] for p in rule["Fn::Join"][1])


@pytest.mark.req("B4")
def test_an_incident_pages_once_for_any_of_its_alarms_and_for_no_other(production: Synthesis) -> None:
    alarms = {alarm.logical_id: alarm for alarm in alarms_of(production).values()}
    composites = production.of("AWS::CloudWatch::CompositeAlarm")
    assert len(composites) == 4
    paging: list[str] = []
    for composite in composites:
        rule = rule_text(composite.properties["AlarmRule"])
        calm: dict[str, State] = dict.fromkeys(alarms, "OK")
        assert not holds(rule, calm)
        members = [one for one in alarms if holds(rule, {**calm, one: "ALARM"})]
        assert members
        # a second alarm of the same incident changes nothing: the composite is on already
        assert holds(rule, {**calm, **dict.fromkeys(members, "ALARM")})
        assert not holds(rule, dict.fromkeys(alarms, "INSUFFICIENT_DATA"))
        paging += members
    assert len(paging) == len(set(paging))
    names = {runbook_of(alarms[one]) for one in paging}
    assert {"server-errors", "slow-answers", "dead-letters", "failed-sign-ins", "unauthorized-calls"} <= names
    assert names.isdisjoint({"function-errors", "throttles", "spill-over", "provider-spend"})


def test_metrics_are_told_apart_by_dimensions() -> None:
    assert Metric("N", "M", (("a", "'1'"),)) != Metric("N", "M", (("a", "'2'"),))
