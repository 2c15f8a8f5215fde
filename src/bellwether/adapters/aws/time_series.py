"""Scores as multi-measure records of a time-series store."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from bellwether.adapters.aws.faults import calling, code_of
from bellwether.domain.problems import Unavailable
from bellwether.domain.scores import Score

MOST_RECORDS = 100
"""The service takes so many records in one call."""
MEASURES = ("p_up", "edge", "base_rate", "n_eff", "disagreement")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def record_of(score: Score) -> dict[str, Any]:
    """One record: asset and horizon as dimensions, the figures there are as measures, `as_of` as its time."""
    figures = {name: getattr(score, name) for name in MEASURES}
    return {
        "Dimensions": [
            {"Name": "asset", "Value": score.asset},
            {"Name": "horizon", "Value": str(score.horizon)},
        ],
        "MeasureName": "score",
        "MeasureValueType": "MULTI",
        "MeasureValues": [
            {"Name": name, "Value": repr(float(value)), "Type": "DOUBLE"}
            for name, value in figures.items()
            if value is not None
        ],
        "Time": str(round((score.as_of - _EPOCH).total_seconds() * 1_000)),
        "TimeUnit": "MILLISECONDS",
    }


class ScoreSeries:
    """The table `scores` of one database. Writing the same scores again changes nothing."""

    def __init__(self, client: Any, database: str) -> None:
        self._client = client
        self._database = database

    def write(self, scores: Iterable[Score]) -> int:
        """Writes scores, a hundred at a time; gives how many.

        Raises `Unavailable` when the service rejects some: those are older than its retention, or contradict
        what it has.
        """
        written = 0
        for records in _chunks(map(record_of, scores)):
            with calling("the time series"):
                try:
                    self._client.write_records(
                        DatabaseName=self._database, TableName="scores", Records=records
                    )
                except ClientError as fault:
                    if code_of(fault) != "RejectedRecordsException":
                        raise
                    rejected: Any = fault.response.get("RejectedRecords", [])
                    reason = rejected[0].get("Reason", "") if rejected else ""
                    raise Unavailable(
                        f"{len(rejected)} of {len(records)} scores rejected: {reason}"
                    ) from fault
            written += len(records)
        return written


def _chunks(records: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(records, MOST_RECORDS)):
        yield chunk
