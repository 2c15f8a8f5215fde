"""The optional time-series store: off, and where it may be placed when it is on."""

from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from infrastructure.app import build
from infrastructure.constructs.time_series import TimeSeries
from infrastructure.packaging import Layer
from infrastructure.settings import RECOVERY_REGION, REGION, STAGES, settings_of
from tests.infrastructure.synthesis import Synthesis, new_app


def placed(region: str, folder: Path) -> Template:
    stack = Stack(new_app(folder), "stack", env=Environment(region=region))
    bucket = s3.Bucket.from_bucket_name(stack, "Lake", "lake-1")
    key = kms.Key.from_key_arn(
        stack, "Key", f"arn:aws:kms:{region}:123456789012:key/11111111-2222-3333-4444-555555555555"
    )
    TimeSeries(stack, "TimeSeries", key=key, rejected=bucket, settings=settings_of("production"))
    return Template.from_stack(stack)


@pytest.mark.req("D7")
def test_it_is_off_everywhere(production: Synthesis, staging: Synthesis, local: Synthesis) -> None:
    for synthesis in (production, staging, local):
        assert [r.kind for r in synthesis.all() if "Timestream" in r.kind] == []
    assert not any(row.time_series for row in STAGES.values())


@pytest.mark.req("D7")
def test_it_keeps_ten_years_encrypted_and_reports_what_it_rejects(tmp_path: Path) -> None:
    template = placed(RECOVERY_REGION, tmp_path)
    key = f"arn:aws:kms:{RECOVERY_REGION}:123456789012:key/11111111-2222-3333-4444-555555555555"
    template.has_resource_properties("AWS::Timestream::Database", {"KmsKeyId": key})
    template.has_resource_properties(
        "AWS::Timestream::Table",
        {
            "RetentionProperties": {
                "MemoryStoreRetentionPeriodInHours": "2160",
                "MagneticStoreRetentionPeriodInDays": "3653",
            },
            "MagneticStoreWriteProperties": {
                "EnableMagneticStoreWrites": True,
                "MagneticStoreRejectedDataLocation": {
                    "S3Configuration": {
                        "BucketName": "lake-1",
                        "EncryptionOption": "SSE_KMS",
                        "KmsKeyId": key,
                    }
                },
            },
        },
    )


@pytest.mark.req("D7")
def test_it_is_refused_where_the_service_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"does not exist in {REGION}"):
        placed(REGION, tmp_path)


@pytest.mark.req("D7")
def test_switched_on_it_lies_in_the_second_region(tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "dependency.py").write_text("")
    layer = Layer(cloud=True, folder=tmp_path / "layer")
    desk = build(new_app(tmp_path / "out"), replace(settings_of("production"), time_series=True), layer)
    assert desk.recovery is not None
    template = Template.from_stack(desk.recovery)
    template.resource_count_is("AWS::Timestream::Table", 1)
    template.has_output("TimeSeriesRegion", {"Value": RECOVERY_REGION})
    with pytest.raises(ValueError, match="needs the second region"):
        build(new_app(tmp_path / "no"), replace(settings_of("staging"), time_series=True), layer)
