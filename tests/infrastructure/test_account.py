"""The account's baseline: the trail, what is recorded, what is looked for, and who hears of it."""

import json
import re
from typing import Any

import pytest

from infrastructure.constructs.account_alarms import WATCHED
from infrastructure.constructs.configuration_record import RULES
from infrastructure.settings import STAGES, Feature
from tests.infrastructure.synthesis import Synthesis, listed


def only(synthesis: Synthesis, kind: str) -> dict[str, Any]:
    (resource,) = synthesis.of(kind, "account")
    return resource.properties


@pytest.mark.req("S4")
def test_only_one_stage_of_an_account_has_the_baseline(
    production: Synthesis, staging: Synthesis, local: Synthesis
) -> None:
    assert "account" in production.templates
    assert "account" not in staging.templates
    assert "account" not in local.templates
    without = STAGES["production"].without(Feature.ACCOUNT_BASELINE, "the organisation has one")
    assert not without.has(Feature.ACCOUNT_BASELINE)
    assert STAGES["production"].has(Feature.ACCOUNT_BASELINE)


@pytest.mark.req("S4")
def test_the_trail_covers_all_regions_and_leaves_objects_to_the_data(
    production: Synthesis,
) -> None:
    trail = only(production, "AWS::CloudTrail::Trail")
    for wanted in (
        "IsLogging",
        "IsMultiRegionTrail",
        "IncludeGlobalServiceEvents",
        "EnableLogFileValidation",
    ):
        assert trail[wanted] is True
    assert trail["KMSKeyId"]
    assert trail["CloudWatchLogsLogGroupArn"]
    (management,) = (selector["FieldSelectors"] for selector in trail["AdvancedEventSelectors"])
    assert management == [{"Field": "eventCategory", "Equals": ["Management"]}]
    assert len(production.of("AWS::CloudTrail::Trail", "data")) == 1


@pytest.mark.req("S4")
def test_the_trails_files_cannot_be_changed_and_only_the_trail_writes_them(production: Synthesis) -> None:
    trail = only(production, "AWS::CloudTrail::Trail")
    name = trail["S3BucketName"]["Ref"]
    (bucket,) = [b for b in production.of("AWS::S3::Bucket", "account") if b.logical_id == name]
    rule = bucket.properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "COMPLIANCE", "Days": 365}
    (policy,) = [
        p
        for p in production.of("AWS::S3::BucketPolicy", "account")
        if p.properties["Bucket"] == {"Ref": name}
    ]
    statements = policy.properties["PolicyDocument"]["Statement"]
    writers = [s for s in statements if s["Effect"] == "Allow" and "s3:PutObject" in listed(s["Action"])]
    assert [s["Principal"] for s in writers] == [{"Service": "cloudtrail.amazonaws.com"}]
    told = json.dumps(writers[0]["Condition"]["StringEquals"]["aws:SourceArn"])
    assert "trail/bellwether-production-account" in told


@pytest.mark.req("S4", "B4")
@pytest.mark.parametrize("name", WATCHED)
def test_what_the_owner_must_hear_of_is_counted_and_alarms(production: Synthesis, name: str) -> None:
    (counted,) = [
        f.properties
        for f in production.of("AWS::Logs::MetricFilter", "account")
        if f.properties["MetricTransformations"][0]["MetricName"] == name
    ]
    trail = only(production, "AWS::CloudTrail::Trail")
    assert counted["LogGroupName"]["Ref"] == trail["CloudWatchLogsLogGroupArn"]["Fn::GetAtt"][0]
    (alarm,) = [
        a.properties
        for a in production.of("AWS::CloudWatch::Alarm", "account")
        if a.properties["MetricName"] == name
    ]
    assert alarm["Namespace"] == counted["MetricTransformations"][0]["MetricNamespace"]
    assert alarm["Threshold"] == WATCHED[name].threshold
    (topic,) = production.of("AWS::SNS::Topic", "account")
    assert alarm["AlarmActions"] == [{"Ref": topic.logical_id}]


@pytest.mark.parametrize("name", WATCHED)
def test_a_pattern_is_written_as_the_service_reads_it(name: str) -> None:
    pattern = WATCHED[name].pattern
    assert pattern.count("(") == pattern.count(")")
    assert re.fullmatch(r"\{ \(.*\) \}", pattern)
    assert len(pattern) <= 1024


@pytest.mark.req("S4")
def test_configurations_are_recorded_and_held_against_rules(production: Synthesis) -> None:
    recorder = only(production, "AWS::Config::ConfigurationRecorder")
    assert recorder["RecordingGroup"]["AllSupported"] is True
    rules = production.of("AWS::Config::ConfigRule", "account")
    assert {rule.properties["Source"]["SourceIdentifier"] for rule in rules} == set(RULES)
    (bucket,) = [
        b
        for b in production.of("AWS::S3::Bucket", "account")
        if only(production, "AWS::Config::DeliveryChannel")["S3BucketName"] == {"Ref": b.logical_id}
    ]
    assert "ObjectLockConfiguration" not in bucket.properties


@pytest.mark.req("S4")
def test_trouble_is_looked_for(production: Synthesis) -> None:
    detector = only(production, "AWS::GuardDuty::Detector")
    assert detector["Enable"] is True
    assert {f["Name"] for f in detector["Features"] if f["Status"] == "ENABLED"} == {
        "S3_DATA_EVENTS",
        "LAMBDA_NETWORK_LOGS",
    }
    standards = json.dumps([s.properties for s in production.of("AWS::SecurityHub::Standard", "account")])
    assert "aws-foundational-security-best-practices" in standards
    assert "cis-aws-foundations-benchmark" in standards
    assert only(production, "AWS::AccessAnalyzer::Analyzer")["Type"] == "ACCOUNT"


@pytest.mark.req("S4", "B4")
def test_a_grave_finding_is_told_and_kept_when_it_cannot_be(production: Synthesis) -> None:
    (topic,) = production.of("AWS::SNS::Topic", "account")
    rules = production.of("AWS::Events::Rule", "account")
    assert {rule.properties["EventPattern"]["source"][0] for rule in rules} == {
        "aws.securityhub",
        "aws.guardduty",
    }
    for rule in rules:
        (target,) = rule.properties["Targets"]
        assert target["Arn"] == {"Ref": topic.logical_id}
        teller = production.target("account", target["RoleArn"])
        (policy,) = [
            p.properties["PolicyDocument"]["Statement"]
            for p in production.of("AWS::IAM::Policy", "account")
            if p.properties["Roles"] == [{"Ref": teller}]
        ]
        assert {a for s in policy for a in listed(s["Action"])} == {
            "sns:Publish",
            "kms:Decrypt",
            "kms:GenerateDataKey",
        }
        assert production.target("account", target["DeadLetterConfig"]["Arn"]).startswith(
            "DetectionLostNotices"
        )
    waiting = [
        alarm.properties["AlarmActions"]
        for alarm in production.of("AWS::CloudWatch::Alarm", "account")
        if alarm.properties["MetricName"] == "ApproximateNumberOfMessagesVisible"
    ]
    assert waiting == [[{"Ref": topic.logical_id}]]
    (letting,) = production.of("AWS::SNS::TopicPolicy", "account")
    allowed = [s for s in letting.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    told = {service for s in allowed for service in listed(s["Principal"]["Service"])}
    assert told == {"cloudwatch.amazonaws.com"}


@pytest.mark.req("B4")
def test_alarms_may_publish_to_every_topic_they_notify(production: Synthesis) -> None:
    """A topic with a policy of its own has lost the one that lets alarms in."""
    notified = {
        (alarm.stack, production.target(alarm.stack, action))
        for alarm in production.of("AWS::CloudWatch::Alarm")
        for action in alarm.properties["AlarmActions"]
    }
    letting = {
        production.target(policy.stack, topic)
        for policy in production.of("AWS::SNS::TopicPolicy")
        for topic in policy.properties["Topics"]
        if any(
            s["Effect"] == "Allow" and "cloudwatch.amazonaws.com" in json.dumps(s["Principal"])
            for s in policy.properties["PolicyDocument"]["Statement"]
        )
    }
    assert notified
    assert {topic for _, topic in notified} <= letting
