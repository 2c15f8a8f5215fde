"""The lake and the ledger, and their copies in the second region."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.private_bucket import PrivateBucket, tidied
from infrastructure.constructs.replication import Copies
from infrastructure.settings import Feature, StageSettings

_CLASS = s3.StorageClass

# Prefix of the lake, and after how many days its objects move to which class. Under 128 KB an object stays
# in the frequent tier of Intelligent-Tiering at no charge for watching it.
TIERS: Sequence[tuple[str, Sequence[tuple[s3.StorageClass, int]]]] = (
    ("raw-data/", ((_CLASS.INTELLIGENT_TIERING, 0), (_CLASS.GLACIER, 180), (_CLASS.DEEP_ARCHIVE, 365))),
    ("curated-data/", ((_CLASS.INTELLIGENT_TIERING, 0),)),
    ("features/", ((_CLASS.INTELLIGENT_TIERING, 0), (_CLASS.GLACIER, 365))),
    ("backtests/", ((_CLASS.INTELLIGENT_TIERING, 0), (_CLASS.GLACIER, 180), (_CLASS.DEEP_ARCHIVE, 365))),
    ("eval/", ((_CLASS.INTELLIGENT_TIERING, 0),)),
)
NONCURRENT_DAYS = 90


class Lake(Construct):
    """The object store: raw and curated data, features, backtests, evaluation."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        settings: StageSettings,
        copies: Copies | None = None,
        is_copy: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = PrivateBucket(
            self,
            "Bucket",
            key=key,
            settings=settings,
            event_bridge_enabled=False,
            lifecycle_rules=[
                *(_tier(prefix, steps) for prefix, steps in TIERS),
                *([_forgetting()] if is_copy else []),
                tidied(days=NONCURRENT_DAYS),
            ],
            **(copies.of(self, "lake", deletions=True) if copies else {"uncopied": _why(settings)}),
        )
        if copies:
            copies.grant(self.bucket, key)


class LedgerBucket(Construct):
    """Proposals, decisions and outcomes, once written not changed: Object Lock holds each entry.

    No lifecycle: entries are a few kilobytes, below what any colder class bills at least, and `ledger verify`
    reads all of them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        settings: StageSettings,
        copies: Copies | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = PrivateBucket(
            self,
            "Bucket",
            key=key,
            settings=settings,
            **_locked(settings),
            # What is deleted here, by mistake or not, is still there.
            **(copies.of(self, "ledger", deletions=False) if copies else {"uncopied": _why(settings)}),
        )
        if copies:
            copies.grant(self.bucket, key)


def _why(settings: StageSettings) -> str:
    """Why the bucket is not copied: it is the copy, or the stage has no second region."""
    return settings.lacks.get(Feature.RECOVERY_REGION, "It is the copy, in the second region.")


def _locked(settings: StageSettings) -> dict[str, Any]:
    hold = Duration.days(settings.ledger_days)
    kind = s3.ObjectLockRetention
    retention = kind.compliance(hold) if settings.ledger_locked_for_everyone else kind.governance(hold)
    return {"object_lock_enabled": True, "object_lock_default_retention": retention}


def _forgetting() -> s3.LifecycleRule:
    """Of a copy: S3 copies the batch that lost a post's words and not that the older version was deleted.
    Batches are written once, so an older version is there for no other reason."""
    return s3.LifecycleRule(
        id="forgotten-words", prefix="raw-data/", noncurrent_version_expiration=Duration.days(1)
    )


def _tier(prefix: str, steps: Sequence[tuple[s3.StorageClass, int]]) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=f"tier-{prefix.strip('/')}",
        prefix=prefix,
        transitions=[
            s3.Transition(storage_class=storage, transition_after=Duration.days(days))
            for storage, days in steps
        ],
    )
