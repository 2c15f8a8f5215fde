"""The catalogue: its columns are what is written, its folders where it is, and its queries are bounded."""

import gzip
import json
import re
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from bellwether.adapters.aws.signal_table_retirement import PREFIX
from bellwether.adapters.naming import instant, ledger_key, prices_key, raw_key, scores_key
from bellwether.domain.equity import EquityDay
from bellwether.domain.prices import History
from bellwether.usecases.equity import key_of
from infrastructure.columns import columns_of, hive_type
from infrastructure.constructs.catalogue import CATALOGUE, record_of
from infrastructure.constructs.lake_queries import LAKE_QUERIES
from tests.contract.records import signal
from tests.infrastructure.hive import fits
from tests.infrastructure.synthesis import Resource, Synthesis

AT = datetime(2026, 11, 23, 5, 40, 45, tzinfo=UTC)
WRITTEN = {
    "items": raw_key(AT, "b1"),
    "prices": prices_key("ACME"),
    "signals": f"{PREFIX}/202510/part-00000.ndjson.gz",
    "scores": scores_key("2026/11/23/h1-abc.ndjson"),
    "evaluations": "eval/2026/11/23/054045.json",
    "equity": key_of("core", 2026),
    "ledger": ledger_key(1),
}


def tables(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    found = [table.properties["TableInput"] for table in synthesis.of("AWS::Glue::Table")]
    return {table["Name"]: table for table in found}


@pytest.mark.req("D7")
@pytest.mark.parametrize("stage", ["production", "local"])
def test_the_columns_are_the_fields_of_what_is_written(stage: str, request: pytest.FixtureRequest) -> None:
    found = tables(request.getfixturevalue(stage))
    assert set(found) == set(CATALOGUE)
    for name, row in CATALOGUE.items():
        columns = [(c["Name"], c["Type"]) for c in found[name]["StorageDescriptor"]["Columns"]]
        fields = [field.encode_name for field in msgspec.structs.fields(record_of(row))]
        assert [column for column, _ in columns] == fields
        assert columns == columns_of(record_of(row))
        assert all(column == column.lower() for column, _ in columns), "Athena knows lower case alone"


@pytest.mark.req("D7")
def test_lines_as_they_are_written_fit_their_columns() -> None:
    day = EquityDay(
        day=AT.date(),
        recorded_at=AT,
        equity=1e6,
        cash=1.0,
        values={"A": 2.0},
        priced={"A": AT.date()},
        index=1,
    )
    bars = History("ACME", [date(2026, 1, 2)], [1.0], [2.0], [0.5], [1.5], [1.5], [10.0])
    for name, record in {"signals": signal(1, known=AT), "equity": day, "prices": bars}.items():
        line = json.loads(msgspec.json.encode(record))
        columns = dict(columns_of(record_of(CATALOGUE[name])))
        assert line.keys() <= columns.keys()
        assert [n for n, value in line.items() if not fits(value, columns[n])] == [], name
        assert b"\n" not in msgspec.json.encode(record)
        assert gzip.decompress(gzip.compress(msgspec.json.encode(record)))
    assert not fits("text", "double")
    assert not fits({"n": 1}, "struct<m:bigint>")


@pytest.mark.req("D7", "D5")
@pytest.mark.parametrize("name", CATALOGUE)
def test_athena_looks_where_the_desk_writes(production: Synthesis, name: str) -> None:
    table, row, key = tables(production)[name], CATALOGUE[name], WRITTEN[name]
    assert key.startswith(row.folder)
    assert json.dumps(table["StorageDescriptor"]["Location"]).count(f"/{row.folder}") == 1
    if row.partition is None:
        assert table["PartitionKeys"] == []
        return
    partition, pattern, _ = row.partition
    parameters = table["Parameters"]
    assert [column["Name"] for column in table["PartitionKeys"]] == [partition]
    assert parameters["projection.enabled"] == "true"
    assert parameters[f"projection.{partition}.range"] == f"{row.since},NOW"
    template = json.dumps(parameters["storage.location.template"])
    assert f"/{row.folder}${{{partition}}}/" in template
    folder = key.removeprefix(row.folder).rpartition("/")[0]
    assert len(folder) == len(pattern) == len(row.since)
    assert re.fullmatch(re.sub("[yMdH]", r"\\d", pattern), folder)


@pytest.mark.req("D7", "X4")
def test_a_query_costs_cents_at_most_and_its_result_is_encrypted_and_temporary(production: Synthesis) -> None:
    (group,) = production.of("AWS::Athena::WorkGroup")
    told = group.properties["WorkGroupConfiguration"]
    assert told["EnforceWorkGroupConfiguration"] is True
    assert told["BytesScannedCutoffPerQuery"] == 10 * 2**30
    assert told["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    (results,) = [b for b in production.of("AWS::S3::Bucket", "data") if b.logical_id.startswith("Catalogue")]
    assert results.logical_id in json.dumps(told["ResultConfiguration"]["OutputLocation"])
    rules = results.properties["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [30]


@pytest.mark.req("D7")
def test_saved_queries_ask_for_tables_and_columns_there_are(production: Synthesis) -> None:
    saved: list[Resource] = production.of("AWS::Athena::NamedQuery")
    assert {query.properties["Name"] for query in saved} == set(LAKE_QUERIES)
    for name, (_, text) in LAKE_QUERIES.items():
        table = re.search(r"FROM (\w+)", text)
        assert table is not None, name
        row = CATALOGUE[table[1]]
        known = {column for column, _ in columns_of(record_of(row))}
        known |= {row.partition[0]} if row.partition else set()
        compared = set(re.findall(r"(?:WHERE|AND) (\w+) (?:=|>=|BETWEEN)", text))
        assert compared - {"t"} <= known, name
        if row.partition:
            assert row.partition[0] in compared, f"{name} would read everything there ever was"


def test_what_no_column_holds_is_refused() -> None:
    class Mixed(msgspec.Struct):
        both: int | str

    class Tagged(msgspec.Struct, tag=True):
        n: int

    with pytest.raises(TypeError, match="one column cannot hold"):
        columns_of(Mixed)
    with pytest.raises(TypeError, match="plain object"):
        hive_type(msgspec.inspect.type_info(Tagged))
    with pytest.raises(TypeError, match="no record"):
        columns_of(int)
    assert instant(AT).endswith("Z"), "an instant is text with its offset"
