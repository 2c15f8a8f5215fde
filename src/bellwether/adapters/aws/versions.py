"""Objects of a versioned bucket that were deleted, and how they come back: by taking the marker away."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bellwether.adapters.aws.faults import calling
from bellwether.domain.problems import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 1_000


class ObjectVersions:
    """One bucket. A deleted object's versions stay; a delete marker on top hides them."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def hide(self, prefix: str) -> int:
        """Deletes every object below a prefix, as a mistake would; gives how many."""
        return self._delete([{"Key": key} for key in self._current(prefix)])

    def bring_back(self, prefix: str, since: datetime) -> int:
        """Takes away the delete markers made since a moment; gives how many objects are back."""
        return self._delete(list(self._markers(prefix, since)))

    def _current(self, prefix: str) -> Iterator[str]:
        for page in self._pages("list_objects_v2", prefix):
            for found in page.get("Contents", ()):
                yield found["Key"]

    def _markers(self, prefix: str, since: datetime) -> Iterator[Any]:
        for page in self._pages("list_object_versions", prefix):
            for marker in page.get("DeleteMarkers", ()):
                if marker["IsLatest"] and marker["LastModified"] >= since:
                    yield {"Key": marker["Key"], "VersionId": marker["VersionId"]}

    def _pages(self, call: Any, prefix: str) -> Iterator[Any]:
        with calling(f"the list of {prefix}"):
            yield from self._client.get_paginator(call).paginate(Bucket=self._bucket, Prefix=prefix)

    def _delete(self, objects: list[Any]) -> int:
        for start in range(0, len(objects), _AT_ONCE):
            part = objects[start : start + _AT_ONCE]
            with calling(f"objects of {self._bucket}"):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": part, "Quiet": True}
                )
            if refused := answer.get("Errors"):
                raise Unavailable(f"{len(refused)} objects: {refused[0].get('Code')}")
        return len(objects)
