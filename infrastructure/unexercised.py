"""Rights that no run on the embedded engine exercises, each with why the function has them all the same.

The report on least privilege compares every function's rights with the calls it made. A right without a call
has to be named here or has to go; an entry that excuses nothing has to go as well.
"""

from typing import NamedTuple


class Unexercised(NamedTuple):
    """Excuses rights by regular expressions over the function's name, the action and the resource's name.

    Resources are named as in the report: `table/proposals`, `lake/raw-data/*`, `queue/ingest`,
    `key/table_key`."""

    functions: str
    actions: str
    resources: str
    reason: str


UNEXERCISED: tuple[Unexercised, ...] = (
    Unexercised(
        ".*",
        "kms:.*",
        "key/.*",
        "a service uses the key with the caller's rights, through `kms:ViaService`; the engine does not ask",
    ),
    Unexercised(
        ".*",
        "logs:(CreateLogStream|PutLogEvents)",
        "its log",
        "Lambda writes a function's log with the function's role; the engine writes it by itself",
    ),
    Unexercised(
        ".*",
        "xray:(PutTraceSegments|PutTelemetryRecords)",
        "every",
        "Lambda sends a function's traces with the function's role; the engine has none",
    ),
    Unexercised(
        "signal_worker|project_ledger",
        "sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes)",
        "queue/(ingest|decisions)",
        "Lambda polls the queue with the function's role; the engine polls by itself",
    ),
    Unexercised(
        "broadcast",
        "dynamodb:(DescribeStream|GetRecords|GetShardIterator|ListStreams)",
        "table/events/stream|every",
        "Lambda reads the stream with the function's role; the engine reads it by itself",
    ),
    Unexercised(
        ".*",
        "sqs:SendMessage",
        "queue/(lost_changes|failed_runs)",
        "Lambda sets aside what failed with the function's role; the engine does so by itself",
    ),
    Unexercised(
        "check_risk|clean_up|decide|evaluate|fetch_news|fetch_prices|fetch_social|propose|score|summarise",
        "s3:ListBucket",
        "lake",
        "for a missing object S3 answers 403 to who may not list, and this tells the two apart; the engine "
        "answers 404 to everyone",
    ),
    Unexercised(
        "project_ledger",
        "dynamodb:UpdateItem",
        "table/events",
        "counts a break of the ledger's chain, and no run may break the ledger",
    ),
    Unexercised(
        "back_up",
        "dynamodb:DeleteBackup",
        "table/.*/backup/\\*",
        "drops backups after five weeks; the engine asks for this right on every resource instead of on the "
        "backup, and would refuse it",
    ),
    Unexercised(
        "roll_signal_tables",
        "dynamodb:TagResource",
        "table/bellwether-.*-signals_\\*",
        "AWS asks for it when a table is created with tags; the engine asks for CreateTable alone",
    ),
    Unexercised(
        "roll_signal_tables",
        "dynamodb:DeleteTable",
        "table/bellwether-.*-signals_\\*",
        "deletes the family when the stack of a stage that keeps no data goes; granted to those stages alone",
    ),
)
