"""AWS clients of the running engine."""

import functools
from typing import Any

import boto3
from botocore.config import Config

from .engine import REGION, Running

ACCOUNT = "000000000000"
# Known to everyone and checked by nobody: the engine's root key. It is not a secret.
ROOT_KEY = "test"

_CONFIG = Config(retries={"max_attempts": 2}, connect_timeout=3, read_timeout=60)


@functools.cache
def _session() -> boto3.session.Session:
    # A session reads the descriptions of services anew; one is enough.
    return boto3.session.Session(
        aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY, region_name=REGION
    )


def client(running: Running, service: str) -> Any:
    """A client with the engine's root rights."""
    return _session().client(service, endpoint_url=running.url, config=_CONFIG)  # type: ignore[call-overload]
