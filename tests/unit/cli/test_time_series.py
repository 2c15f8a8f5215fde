"""Scores as multi-measure records: what the service would get, and what becomes of what it rejects."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from msgspec.structs import replace
from typer.testing import CliRunner

from bellwether.adapters.aws.time_series import MEASURES, ScoreSeries, record_of
from bellwether.cli import lake as commands
from bellwether.cli.failures import Failure
from bellwether.cli.stage import Stage
from bellwether.domain.problems import Unavailable
from bellwether.domain.scores import Concentration, Score

AT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
SCORE = Score(
    score_id="s-1",
    asset="ACME",
    as_of=AT,
    horizon=5,
    p_up=0.61,
    edge=0.08,
    base_rate=0.53,
    n_eff=12.5,
    disagreement=None,
    interval=(0.55, 0.67),
    contributions=(),
    track_record="unproven",
    concentration=Concentration(
        items=1, authors=1, top_author_share=1.0, top_cluster_share=1.0, young_author_share=0.0
    ),
)


def stubbed() -> tuple[Any, Stubber]:
    """A client that checks what it is asked against the service's own description."""
    session = boto3.session.Session("a", "b", region_name="eu-central-1")
    client: Any = session.client("timestream-write", endpoint_url="http://127.0.0.1:1")
    return client, Stubber(client)


@pytest.mark.req("D7")
def test_a_score_is_one_record_of_several_measures() -> None:
    record = record_of(SCORE)
    assert {d["Name"]: d["Value"] for d in record["Dimensions"]} == {"asset": "ACME", "horizon": "5"}
    assert record["MeasureValueType"] == "MULTI"
    values = {m["Name"]: float(m["Value"]) for m in record["MeasureValues"]}
    assert values == {"p_up": 0.61, "edge": 0.08, "base_rate": 0.53, "n_eff": 12.5}
    assert set(values) < set(MEASURES), "what is undefined is left out, not 0"
    assert datetime.fromtimestamp(int(record["Time"]) / 1000, UTC) == AT


@pytest.mark.req("D7")
def test_a_hundred_records_a_call() -> None:
    client, stub = stubbed()
    scores = [replace(SCORE, as_of=AT + timedelta(minutes=n)) for n in range(150)]
    for part in (scores[:100], scores[100:]):
        asked = {"DatabaseName": "db", "TableName": "scores", "Records": [record_of(one) for one in part]}
        stub.add_response("write_records", {"RecordsIngested": {"Total": len(part)}}, asked)
    with stub:
        assert ScoreSeries(client, "db").write(scores) == 150
        stub.assert_no_pending_responses()


@pytest.mark.req("D7")
def test_what_is_rejected_is_told_with_its_reason() -> None:
    client, stub = stubbed()
    rejected = [{"RecordIndex": 0, "Reason": "outside the retention"}]
    stub.add_client_error(
        "write_records", "RejectedRecordsException", modeled_fields={"RejectedRecords": rejected}
    )
    with stub, pytest.raises(Unavailable, match="1 of 1 scores rejected: outside the retention"):
        ScoreSeries(client, "db").write([SCORE])


@pytest.mark.req("D7")
def test_a_stage_without_the_store_says_what_there_is_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(name="local", api_url="http://127.0.0.1:1/v1", region="eu-central-2", outputs={})
    monkeypatch.setattr(commands, "find_stage", lambda _name: stage)
    result = CliRunner().invoke(commands.lake, ["series", "--from", "2026-11-01", "--to", "2026-11-02"])
    assert isinstance(result.exception, Failure)
    assert result.exception.exit_code == 4
    assert "Athena" in result.exception.detail
