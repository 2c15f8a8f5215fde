"""What the stateless stacks need of the stateful ones, wherever these are."""

from collections.abc import Mapping
from typing import Protocol

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3


class SecretArns(Protocol):
    """Secrets by the names the functions' table uses."""

    @property
    def arns(self) -> Mapping[str, str]: ...


class Tables(Protocol):
    """Tables by name."""

    @property
    def by_name(self) -> Mapping[str, dynamodb.ITableV2]: ...


class Store(Protocol):
    """One bucket."""

    @property
    def bucket(self) -> s3.IBucket: ...


class Keys(Protocol):
    """The keys data is encrypted with, and the secrets."""

    @property
    def table_key(self) -> kms.IKey: ...
    @property
    def lake_key(self) -> kms.IKey: ...
    @property
    def secret_key(self) -> kms.IKey: ...
    @property
    def alarm_key(self) -> kms.IKey: ...
    @property
    def log_key(self) -> kms.IKey: ...
    @property
    def secrets(self) -> SecretArns: ...


class Holdings(Protocol):
    """The data itself."""

    @property
    def tables(self) -> Tables: ...
    @property
    def lake(self) -> Store: ...
    @property
    def ledger(self) -> Store: ...
