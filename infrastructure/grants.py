"""The vocabulary of the functions' table: what a function may do, in the terms of the desk.

Each grant becomes policy statements on exactly the named resources; the use of the resource's encryption key
through its service comes with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

KeyUse = Literal["read", "write", "grant"]

CLIENT = "client_"
"""Begins the name of a secret that holds one machine's API key."""

_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "GetObject"})
_DESCRIBES = frozenset({"DescribeTable"})
_KEY_ACTIONS: Mapping[KeyUse, tuple[str, ...]] = {
    "read": ("kms:Decrypt", "kms:DescribeKey"),
    "write": (
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What the stateful stacks offer to functions, by the short names of the functions' table."""

    tables: Mapping[str, dynamodb.ITableV2]
    buckets: Mapping[str, s3.IBucket]
    queues: Mapping[str, sqs.IQueue]
    secrets: Mapping[str, str]
    """ARNs"""
    table_key: kms.IKey
    lake_key: kms.IKey
    secret_key: kms.IKey
    log_key: kms.IKey
    signals_prefix: str
    lake_copy: s3.IBucket | None = None
    """What the lake is replicated to, where it is."""


class Grant(Protocol):
    """Something a function may do."""

    def statements(self, given: Resources, stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        """The policy statements it takes, for a function that lives in `stack`."""
        ...


@dataclass(frozen=True, init=False)
class Rows:
    """DynamoDB calls on one table (its indexes, its backups)."""

    table: str
    actions: tuple[str, ...]
    indexes: bool
    backups: bool

    def __init__(self, table: str, *actions: str, indexes: bool = False, backups: bool = False) -> None:
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "actions", actions)
        object.__setattr__(self, "indexes", indexes)
        object.__setattr__(self, "backups", backups)

    def statements(self, given: Resources, stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        arn = given.tables[self.table].table_arn
        if self.actions:
            yield _allow("dynamodb", self.actions, arn)
        if self.indexes:
            yield _allow("dynamodb", ("Query",), f"{arn}/index/*")
        if self.backups:
            yield _allow("dynamodb", ("ListBackups",), "*")
            yield _allow("dynamodb", ("DeleteBackup",), f"{arn}/backup/*")
        reads: tuple[str, ...] = ("Query",) if self.indexes else ()
        yield from _key_use((*self.actions, *reads), given.table_key, "dynamodb", stack)


@dataclass(frozen=True, init=False)
class Signals:
    """DynamoDB calls on the monthly tables of the signals family, known by their prefix."""

    actions: tuple[str, ...]
    key: KeyUse | None

    def __init__(self, *actions: str, key: KeyUse | None = None) -> None:
        object.__setattr__(self, "actions", actions)
        object.__setattr__(self, "key", key)

    def statements(self, given: Resources, stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        family = stack.format_arn(
            service="dynamodb", resource="table", resource_name=f"{given.signals_prefix}*"
        )
        yield _allow("dynamodb", self.actions, family)
        if self.key == "grant":
            yield from _key_for_new_tables(given.table_key, stack)
        else:
            yield from _key_use(self.actions, given.table_key, "dynamodb", stack)


@dataclass(frozen=True)
class SignalTables:
    """Listing tables, which has no resource to narrow it to; the answer holds names alone."""

    def statements(self, _given: Resources, _stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        yield _allow("dynamodb", ("ListTables",), "*")


@dataclass(frozen=True, init=False)
class Objects:
    """Calls on the objects of a bucket whose keys match `pattern`."""

    bucket: str
    pattern: str
    actions: tuple[str, ...]

    def __init__(self, bucket: str, pattern: str, *actions: str) -> None:
        object.__setattr__(self, "bucket", bucket)
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "actions", actions)

    def statements(self, given: Resources, stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        yield _allow("s3", self.actions, given.buckets[self.bucket].arn_for_objects(self.pattern))
        yield from _key_use(self.actions, given.lake_key, "s3", stack)


@dataclass(frozen=True, init=False)
class Listing:
    """Listing a bucket below prefixes; also what turns a missing object's 403 into a 404."""

    bucket: str
    prefixes: tuple[str, ...]

    def __init__(self, bucket: str, *prefixes: str) -> None:
        object.__setattr__(self, "bucket", bucket)
        object.__setattr__(self, "prefixes", prefixes)

    def statements(self, given: Resources, _stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        statement = _allow("s3", ("ListBucket",), given.buckets[self.bucket].bucket_arn)
        if all(self.prefixes):
            statement.add_condition("StringLike", {"s3:prefix": [f"{prefix}*" for prefix in self.prefixes]})
        yield statement


@dataclass(frozen=True, init=False)
class Versions:
    """Listing the versions of a bucket's objects below prefixes."""

    bucket: str
    prefixes: tuple[str, ...]

    def __init__(self, bucket: str, *prefixes: str) -> None:
        object.__setattr__(self, "bucket", bucket)
        object.__setattr__(self, "prefixes", prefixes)

    def statements(self, given: Resources, _stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        statement = _allow("s3", ("ListBucketVersions",), given.buckets[self.bucket].bucket_arn)
        statement.add_condition("StringLike", {"s3:prefix": [f"{prefix}*" for prefix in self.prefixes]})
        yield statement


@dataclass(frozen=True)
class CopiedVersions:
    """Deleting versions in the lake's copy in the second region, where the stage has one."""

    pattern: str

    def statements(self, given: Resources, _stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        if given.lake_copy is not None:
            yield _allow("s3", ("DeleteObjectVersion",), given.lake_copy.arn_for_objects(self.pattern))


@dataclass(frozen=True, init=False)
class Send:
    """Calls on one queue; sending unless others are named."""

    queue: str
    actions: tuple[str, ...]

    def __init__(self, queue: str, *actions: str) -> None:
        object.__setattr__(self, "queue", queue)
        object.__setattr__(self, "actions", actions or ("SendMessage",))

    def statements(self, given: Resources, _stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        yield _allow("sqs", self.actions, given.queues[self.queue].queue_arn)


@dataclass(frozen=True)
class Receive:
    """Taking messages from one queue and saying when failed ones come again."""

    queue: str

    def statements(self, given: Resources, _stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        actions = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
        yield _allow("sqs", actions, given.queues[self.queue].queue_arn)


@dataclass(frozen=True)
class Secret:
    """Reading one secret."""

    secret: str

    def statements(self, given: Resources, stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        yield _allow("secretsmanager", ("GetSecretValue",), given.secrets[self.secret])
        yield _through("secretsmanager", ("kms:Decrypt",), given.secret_key, stack)


@dataclass(frozen=True)
class Rotation:
    """Exchanging the keys of machines: each machine's own secret, and the one with everybody's digests."""

    def statements(self, given: Resources, stack: Stack, /) -> Iterator[iam.PolicyStatement]:
        exchanged = [arn for name, arn in given.secrets.items() if name.startswith(CLIENT)]
        yield iam.PolicyStatement(
            actions=[
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            resources=exchanged,
        )
        both = ("GetSecretValue", "PutSecretValue")
        yield _allow("secretsmanager", both, given.secrets["api_clients"])
        yield _through("secretsmanager", ("kms:Decrypt", "kms:GenerateDataKey"), given.secret_key, stack)


def _allow(service: str, actions: tuple[str, ...], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=sorted(f"{service}:{action}" for action in actions), resources=[resource]
    )


def _key_use(
    actions: tuple[str, ...], key: kms.IKey, service: str, stack: Stack
) -> Iterator[iam.PolicyStatement]:
    touching = set(actions) - _DESCRIBES
    if touching:
        use: KeyUse = "read" if touching <= _READS else "write"
        yield _through(service, _KEY_ACTIONS[use], key, stack)


def _through(service: str, actions: tuple[str, ...], key: kms.IKey, stack: Stack) -> iam.PolicyStatement:
    """The key, but only in the hands of the service that holds the data."""
    return iam.PolicyStatement(
        actions=list(actions),
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.amazonaws.com"}},
    )


def _key_for_new_tables(key: kms.IKey, stack: Stack) -> Iterator[iam.PolicyStatement]:
    """Creating a table makes DynamoDB take grants on its key in the name of the caller."""
    yield _through("dynamodb", _KEY_ACTIONS["write"], key, stack)
    yield iam.PolicyStatement(
        actions=["kms:CreateGrant"],
        resources=[key.key_arn],
        conditions={
            "Bool": {"kms:GrantIsForAWSResource": "true"},
            "StringEquals": {"kms:ViaService": f"dynamodb.{stack.region}.amazonaws.com"},
        },
    )
