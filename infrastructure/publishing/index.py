"""Puts the dashboard's files, which lie beside this one, into their bucket and empties the edge's cache.

CloudFormation runs it whenever the files or the settings a browser may know have changed. It imports nothing
but what the runtime has.
"""

import json
import mimetypes
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3

SITE = Path(__file__).with_name("site")
CONFIG = "config.json"
LONGEST_REASON = 500
_ASKED_EACH_TIME = "public, no-cache, s-maxage=31536000"
_FIVE_MINUTES = "public, max-age=300, s-maxage=31536000"


def handler(event: dict[str, Any], _context: Any) -> None:
    """Sends exactly one answer; whatever goes wrong is told as FAILED."""
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": event.get("PhysicalResourceId", "site"), "Status": "SUCCESS"}
    try:
        if event["RequestType"] != "Delete":
            publish(event["ResourceProperties"])
    except Exception as fault:  # noqa: BLE001  CloudFormation would wait for an answer until its time limit
        answer |= {"Status": "FAILED", "Reason": f"{type(fault).__name__}: {fault}"[:LONGEST_REASON]}
    print(json.dumps({"message": "answered", "status": answer["Status"], "reason": answer.get("Reason")}))
    body = json.dumps(answer).encode()
    request = Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    urlopen(request, timeout=30).close()  # noqa: S310


def publish(told: dict[str, Any]) -> None:
    """Writes pages last, so that a page never names a part that is not there yet; then drops what is old."""
    store, bucket = boto3.client("s3"), told["Bucket"]
    files = {path.relative_to(SITE).as_posix(): path.read_bytes() for path in files_below(SITE)}
    files[CONFIG] = json.dumps(told["Config"], sort_keys=True).encode()
    for name in sorted(files, key=lambda name: (is_page(name), name)):
        store.put_object(
            Bucket=bucket,
            Key=name,
            Body=files[name],
            ContentType=content_type(name),
            CacheControl=_ASKED_EACH_TIME if is_page(name) else _FIVE_MINUTES,
        )
    listed = store.list_objects_v2(Bucket=bucket).get("Contents", [])
    for name in sorted({entry["Key"] for entry in listed} - set(files)):
        store.delete_object(Bucket=bucket, Key=name)
    boto3.client("cloudfront").create_invalidation(
        DistributionId=told["Distribution"],
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )


def files_below(folder: Path) -> list[Path]:
    """Every file of the site; what is hidden is not part of it."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]


def is_page(name: str) -> bool:
    """Whether a browser has to ask about it each time: its name never changes with its content."""
    return name.endswith(".html") or name == CONFIG


def content_type(name: str) -> str:
    """The media type by the file's ending; texts are UTF-8."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    texts = kind.startswith("text/") or kind in {"application/javascript", "application/json"}
    return f"{kind}; charset=utf-8" if texts else kind
