"""Every log group is encrypted with the stage's key for logs."""

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import IConstruct


def encrypt_logs(scope: IConstruct, key: kms.IKey, *, region: str) -> None:
    """Sets the key on each log group below `scope` that has none and lives in the key's region.

    Done once at the end of the app, so that nobody who adds a log group can forget it. A log group of another
    region needs a key of that region.
    """
    for construct in scope.node.find_all():
        if (
            isinstance(construct, logs.CfnLogGroup)
            and construct.kms_key_id is None
            and Stack.of(construct).region == region
        ):
            construct.kms_key_id = key.key_arn
