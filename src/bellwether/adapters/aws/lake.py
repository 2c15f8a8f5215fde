"""The lake: raw batches, kept forecasts, prices and other named objects in one bucket."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from bellwether.adapters.aws.faults import CONDITION, CONTENDED, calling, code_of
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.patience import Patience
from bellwether.adapters.merging import scores_between
from bellwether.adapters.naming import RAW_PREFIX, SCORES_PREFIX, raw_hour, raw_key, scores_day, scores_key
from bellwether.domain.items import RawBatch
from bellwether.domain.problems import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Level 2 halves the time of the default and costs a tenth in size on posts.
COMPRESSION = 2


class Bucket:
    """One bucket: objects by key.

    To a caller who may list only below a prefix, S3 says of a missing object that access is denied: a denial
    is checked against the list before it is believed.
    """

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def read(self, key: str) -> bytes:
        """An object. Raises `NotFound`."""
        answer = self.read_changed(key, None)
        if answer is None:
            raise NotFound(f"object {key}: not found")
        return answer[0]

    def read_changed(self, key: str, etag: str | None) -> tuple[bytes, str] | None:
        """An object and its ETag, `None` when it is still the one with `etag`. Raises `NotFound`."""
        more: dict[str, Any] = {"IfNoneMatch": etag} if etag else {}
        with calling(f"object {key}"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key, **more)
                return answer["Body"].read(), answer["ETag"]
            except ClientError as fault:
                code = code_of(fault)
                if code in {"304", "NotModified"}:
                    return None
                if code in {"AccessDenied", "403"} and next(self.keys(key), None) != key:
                    raise NotFound(f"object {key}: not found") from fault
                raise

    def write(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        """Writes an object and returns its ETag."""
        with calling(f"object {key}"):
            answer = self._client.put_object(
                Bucket=self.name, Key=key, Body=content, ContentType=content_type
            )
        return answer["ETag"]

    def write_if(
        self, key: str, content: bytes, *, etag: str | None, content_type: str = "application/json"
    ) -> str | None:
        """Writes only over the object with `etag`, or with `None` only where there is no object.

        Returns the new ETag, `None` when the condition did not hold.
        """
        condition: dict[str, Any] = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        patience = Patience(f"object {key}")
        while True:
            with calling(f"object {key}"):
                try:
                    answer = self._client.put_object(
                        Bucket=self.name, Key=key, Body=content, ContentType=content_type, **condition
                    )
                    return answer["ETag"]
                except ClientError as fault:
                    code = code_of(fault)
                    if code in CONDITION or (etag and code in {"NoSuchKey", "404"}):
                        return None
                    if code not in CONTENDED:
                        raise
            patience.wait()

    def remove_older(self, key: str, copy: "Bucket | None" = None) -> int:
        """Deletes every version of the object but the newest, for good; returns how many there were.

        A replica has the same version ids: each goes in the `copy` first, so that a retry finds what is left.
        """
        asked: dict[str, Any] = {"Bucket": self.name, "Prefix": key}
        removed = 0
        while True:
            with calling(f"the versions of {key}"):
                answer = self._client.list_object_versions(**asked)
            older = [
                found["VersionId"]
                for found in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))
                if found["Key"] == key and not found["IsLatest"]
            ]
            for version in older:
                if copy is not None:
                    copy.remove_version(key, version)
                self.remove_version(key, version)
            removed += len(older)
            if not answer.get("IsTruncated"):
                return removed
            asked |= {
                "KeyMarker": answer["NextKeyMarker"],
                "VersionIdMarker": answer["NextVersionIdMarker"],
            }

    def remove_version(self, key: str, version: str) -> None:
        """Deletes one version for good; one that is not there is no error."""
        with calling(f"a version of {key}"):
            self._client.delete_object(Bucket=self.name, Key=key, VersionId=version)

    def keys(self, prefix: str, after: str | None = None) -> Iterator[str]:
        """Keys below a prefix in order, those after `after`."""
        asked: dict[str, Any] = {"Bucket": self.name, "Prefix": prefix}
        if after:
            asked["StartAfter"] = after
        while True:
            with calling(f"the list of {prefix}"):
                answer = self._client.list_objects_v2(**asked)
            for found in answer.get("Contents", ()):
                yield found["Key"]
            if not answer.get("IsTruncated"):
                return
            asked = {**asked, "ContinuationToken": answer["NextContinuationToken"]}

    def page(self, prefix: str, after: str) -> tuple[list[str], bool]:
        """The first thousand keys after `after`, and whether there are more."""
        with calling(f"the list of {prefix}"):
            answer = self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, StartAfter=after)
        return [found["Key"] for found in answer.get("Contents", ())], bool(answer.get("IsTruncated"))


class S3RawBatches:
    """`RawBatches` as compressed JSON, one object a batch. `copy` is what the bucket is replicated to."""

    def __init__(self, client: "S3Client", bucket: str, copy: Bucket | None = None) -> None:
        self._bucket = Bucket(client, bucket)
        self._copy = copy

    def put(self, batch: RawBatch) -> str:
        key = raw_key(batch.received_at, batch.batch_id)
        self._bucket.write_if(key, _packed(batch), etag=None, content_type="application/gzip")
        return key

    def replace(self, key: str, batch: RawBatch) -> None:
        content = _packed(batch)
        # Written once: who repeats this after a kill must not make a version that has to be removed again.
        if self._bucket.read(key) != content:
            self._bucket.write(key, content, "application/gzip")
        self._bucket.remove_older(key, self._copy)

    def get(self, key: str) -> RawBatch:
        content = self._bucket.read(key)
        try:
            return msgspec.json.decode(gzip.decompress(content), type=RawBatch)
        except (EOFError, gzip.BadGzipFile, zlib.error, msgspec.DecodeError) as fault:
            raise NotFound(f"object {key}: not a batch, or damaged") from fault

    def keys(self, since: datetime) -> Iterator[str]:
        return self._bucket.keys(RAW_PREFIX, after=raw_hour(since))


def _packed(batch: RawBatch) -> bytes:
    """A fixed time in the header: the same batch is the same bytes."""
    return gzip.compress(msgspec.json.encode(batch), COMPRESSION, mtime=0)


class S3Forecasts:
    """`Forecasts` as lines of JSON."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(client, bucket)

    def keep(self, scores: Iterable[bytes], key: str) -> None:
        content = b"".join(line.rstrip(b"\n") + b"\n" for line in scores)
        self._bucket.write(scores_key(key), content, "application/x-ndjson")

    def between(self, first: datetime, last: datetime) -> Iterator[bytes]:
        stop = scores_day(last + timedelta(days=1))
        keys: list[str] = []
        for key in self._bucket.keys(SCORES_PREFIX, after=scores_day(first)):
            if key >= stop:
                break
            keys.append(key)
        for start in range(0, len(keys), 32):
            for content in each(self._bucket.read, keys[start : start + 32]):
                yield from scores_between(content.splitlines(), first, last)


class S3Lake:
    """`Lake`: any other object."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(client, bucket)

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> None:
        self._bucket.write(key, content, content_type)

    def get(self, key: str) -> bytes | None:
        try:
            return self._bucket.read(key)
        except NotFound:
            return None

    def list(self, prefix: str) -> Iterator[str]:
        return self._bucket.keys(prefix)
