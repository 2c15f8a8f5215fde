"""`GET /metrics`: OpenMetrics by its grammar, whatever the counters are called."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.problems import Unavailable
from bellwether.domain.provider_record import ProviderRecord, reserve
from bellwether.handlers.metrics import Parts, handler
from bellwether.handlers.open_metrics import exposition, read_series
from tests.unit.handlers.events import Context, rest_event
from tests.unit.handlers.openmetrics_grammar import samples

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
QUEUES = {"ingest": "https://sqs/ingest", "ingest_dead_letters": "https://sqs/dlq"}


@pytest.mark.req("A12")
def test_counters_and_queue_depths_are_openmetrics(ports: MemoryPorts) -> None:
    ports.counts.add(
        {
            'bellwether_items_total{kind="social",outcome="accepted"}': 12,
            'bellwether_items_total{kind="news",outcome="accepted"}': 3.5,
            "bellwether_proposals_total": 2,
            'signals{agent="a \\"quoted\\" one\\\\"}': 1,
        }
    )
    ports.depths.depths["https://sqs/dlq"] = 4
    parts = Parts(counts=ports.counts, depths=ports.depths, queues=QUEUES, records=ports.providers)
    response = handler.serve(rest_event("GET", "/metrics", roles="machine"), Context(), lambda: parts)
    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    found = samples(response["body"])
    assert found["bellwether_items_total", '{kind="social",outcome="accepted"}'] == 12
    assert found["bellwether_items_total", '{kind="news",outcome="accepted"}'] == 3.5
    assert found["bellwether_proposals_total", ""] == 2
    assert found["bellwether_signals_total", '{agent="a \\"quoted\\" one\\\\"}'] == 1
    assert found["bellwether_queue_messages", '{queue="ingest_dead_letters"}'] == 4
    assert found["bellwether_queue_reachable", '{queue="ingest"}'] == 1
    refused = handler.serve(rest_event("GET", "/metrics", roles=""), Context(), lambda: parts)
    assert refused["statusCode"] == 403


class Away:
    """A queue service that does not answer."""

    def depth(self, queue_url: str) -> int:
        raise Unavailable("away")


@pytest.mark.req("A12")
def test_a_queue_that_does_not_answer_has_no_depth_instead_of_none(ports: MemoryPorts) -> None:
    parts = Parts(counts=ports.counts, depths=Away(), queues=QUEUES, records=ports.providers)
    response = handler.serve(rest_event("GET", "/metrics"), Context(), lambda: parts)
    found = samples(response["body"])
    assert found == {
        ("bellwether_queue_reachable", '{queue="ingest"}'): 0,
        ("bellwether_queue_reachable", '{queue="ingest_dead_letters"}'): 0,
    }


def test_no_counters_are_an_empty_exposition() -> None:
    assert exposition({}, {}, {}) == "# EOF\n"
    assert samples(exposition({}, {}, {})) == {}


KEYS = st.one_of(
    st.text(max_size=30),
    st.builds(
        lambda name, label, value: f'{name}{{{label}="{value}"}}',
        st.text(min_size=1, max_size=10),
        st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True),
        st.text(max_size=20),
    ),
)


@pytest.mark.req("A12")
@given(st.dictionaries(KEYS, st.floats(), max_size=20), st.text(max_size=30))
def test_the_text_is_openmetrics_whatever_the_counters_are_called(
    counts: dict[str, float], told: str
) -> None:
    text = exposition(counts, {"bellwether_depth": [((("queue", told),), 1.0)]}, {"bellwether_depth": told})
    assert ("bellwether_depth", "") not in samples(text)


@given(
    st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), st.text(max_size=20), max_size=4)
)
def test_labels_survive_being_written_and_read(labels: dict[str, str]) -> None:
    text = exposition({}, {"bellwether_x": [(tuple(sorted(labels.items())), 1.0)]}, {})
    line = text.split("\n")[1]
    assert read_series(line.rsplit(" ", 1)[0]) == ("bellwether_x", tuple(sorted(labels.items())))


@pytest.mark.req("A12", "B2")
def test_each_provider_has_its_state_its_lag_its_budget_and_its_next_call(ports: MemoryPorts) -> None:
    spent, _ = reserve(ProviderRecord(name="x", lag_seconds=42.5), TERMS["x"], NOON, 4.0)
    assert ports.providers.put(structs.replace(spent, version=1))
    parts = Parts(
        counts=ports.counts, depths=ports.depths, queues={}, records=ports.providers, clock=lambda: NOON
    )
    found = samples(handler.serve(rest_event("GET", "/metrics"), Context(), lambda: parts)["body"])
    assert found == {
        ("bellwether_provider_up", '{provider="x",state="ok"}'): 1,
        ("bellwether_provider_lag_seconds", '{provider="x"}'): 42.5,
        ("bellwether_provider_budget_used_ratio", '{provider="x"}'): 0.8,
        ("bellwether_provider_next_call_timestamp_seconds", '{provider="x"}'): NOON.timestamp(),
    }
