"""The lake of a running desk: every prefix is written, by whom, and as the catalogue says."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.desk.conftest import Desk, eventually
from tests.desk.material import good_posts, write_bars
from tests.desk.processes import as_owner
from tests.infrastructure.hive import fits

SYMBOL = "LAKEUS"


@pytest.fixture(scope="module")
def used(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that took posts in, scored, evaluated, and keeps a backtest."""
    folder = tmp_path_factory.mktemp("lake")
    desk.json("track", "add", SYMBOL, "--name", "Lakeus Holdings")
    bars = write_bars(folder / "bars.csv", [SYMBOL], last=datetime.now(UTC).date() - timedelta(days=1))
    desk.json("prices", "import", str(bars))
    desk.json("portfolio", "set", "lake", "--cash", "1000000")
    body = {"items": good_posts(SYMBOL, 12)}
    assert desk.call("POST", "/ingest/social", role="analyst", body=body).status_code == 202

    def scored() -> bool:
        answer = desk.call("POST", "/score", role="analyst", body={"assets": [SYMBOL]}).json()
        return bool(answer["scores"][0]["p_up"] is not None and answer["scores"][0]["n_eff"] > 0)

    eventually(scored, what="a score made of the posts")
    desk.json("halt", "--reason", "an entry for the ledger")
    desk.json("resume", "--reason", "and another")
    assert desk.call("POST", "/evaluate", role="analyst", body={}).status_code == 200
    posts = folder / "posts.ndjson"
    old = [
        {**post, "published_at": (datetime.now(UTC) - timedelta(days=30 + n)).isoformat()}
        for n, post in enumerate(good_posts(SYMBOL, 12))
    ]
    posts.write_text("".join(json.dumps(post) + "\n" for post in old))
    out = str(folder / "backtest")
    desk.json("backtest", "--items", str(posts), "--prices", str(bars), "--out", out, "--keep", "local")
    return desk


def bucket_of(desk: Desk, name: str) -> str:
    outputs = desk.outputs["stacks"]["bellwether-local-data"]
    return str(outputs[name])


def objects(desk: Desk, bucket: str, prefix: str) -> list[str]:
    pages = as_owner(desk, "s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


@pytest.mark.req("D5")
@pytest.mark.parametrize(
    "prefix",
    [
        f"raw-data/{datetime.now(UTC):%Y/%m/}",
        f"curated-data/prices/{SYMBOL}.json",
        f"features/scores/{datetime.now(UTC):%Y/%m/}",
        f"eval/{datetime.now(UTC):%Y/%m/}",
        "eval/latest.json",
        "backtests/",
    ],
)
def test_every_prefix_is_written_by_the_running_desk(used: Desk, prefix: str) -> None:
    assert objects(used, bucket_of(used, "LakeBucket"), prefix), f"nothing under {prefix}"


@pytest.mark.req("D5", "D7")
def test_what_is_written_is_what_the_catalogue_says(used: Desk) -> None:
    """Each object below a table's location, read line by line, fits the columns the table has."""
    glue, s3 = as_owner(used, "glue"), as_owner(used, "s3")
    tables = glue.get_tables(DatabaseName="bellwether_local")["TableList"]
    assert {table["Name"] for table in tables} >= {"items", "prices", "signals", "scores", "ledger"}
    read: dict[str, int] = {}
    for table in tables:
        location = table["StorageDescriptor"]["Location"]
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
        for key in objects(used, bucket, prefix)[:20]:
            if table["PartitionKeys"] and not key.removeprefix(prefix)[:4].isdigit():
                continue  # beside the projected folders, where Athena does not look
            for line in lines(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), key):
                assert line.keys() <= columns.keys(), f"{key}: {line.keys() - columns.keys()}"
                assert [n for n, value in line.items() if not fits(value, columns[n])] == [], key
                read[table["Name"]] = read.get(table["Name"], 0) + 1
    assert read.keys() >= {"items", "prices", "scores", "evaluations", "ledger", "equity"}, read


def lines(content: bytes, key: str) -> list[dict[str, Any]]:
    text = gzip.decompress(content) if key.endswith(".gz") else content
    return [json.loads(line) for line in text.splitlines() if line.strip()]


@pytest.mark.req("D6")
def test_the_lake_is_encrypted_and_cannot_be_opened_to_the_world(used: Desk) -> None:
    s3, bucket = as_owner(used, "s3"), bucket_of(used, "LakeBucket")
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    with pytest.raises(ClientError):
        s3.put_bucket_policy(
            Bucket=bucket,
            Policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": f"arn:aws:s3:::{bucket}/*",
                        }
                    ],
                }
            ),
        )
