"""Fetches the packages of a backtest from S3, unpacks them and hands over.

The container is a plain Python image, which has no library that can sign a request: the few lines a signed
GET takes are here (AWS General Reference, "Signature Version 4 signing process"). The credentials are those
of the job's role, from the address the platform names; they live in this process alone.
"""

import hashlib
import hmac
import io
import json
import os
import sys
import tempfile
import urllib.request
import zipfile
from datetime import UTC, datetime

EMPTY = hashlib.sha256(b"").hexdigest()


def headers(host: str, path: str, region: str, keys: dict[str, str], now: datetime) -> dict[str, str]:
    """The headers of a signed GET without query. `keys` as the platform gives them, `now` in UTC."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    sent = {
        "host": host,
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": stamp,
        "x-amz-security-token": keys["Token"],
    }
    names = ";".join(sent)
    listed = "".join(f"{name}:{value}\n" for name, value in sent.items())
    request = "\n".join(("GET", path, "", listed, names, EMPTY))
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{keys['SecretAccessKey']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{keys['AccessKeyId']}/{scope}"
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return sent


def fetch(url: str, sent: dict[str, str] | None = None) -> bytes:
    """What an address answers."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=sent or {}), timeout=300) as answer:  # noqa: S310
        return bytes(answer.read())


def main() -> None:
    """Replaces this process by the product's program, with the same arguments."""
    keys = json.loads(fetch("http://169.254.170.2" + os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]))
    region = os.environ["AWS_REGION"]
    host = f"{os.environ['PACKAGE_BUCKET']}.s3.{region}.amazonaws.com"
    folder = tempfile.mkdtemp()
    for key in os.environ["PACKAGE_KEYS"].split(","):
        path = f"/{key}"
        package = fetch(f"https://{host}{path}", headers(host, path, region, keys, datetime.now(UTC)))
        zipfile.ZipFile(io.BytesIO(package)).extractall(folder)
    environment = {**os.environ, "PYTHONPATH": folder, "HOME": folder}
    arguments = [sys.executable, "-m", "bellwether.cli.backtest_job", *sys.argv[1:]]
    os.execve(sys.executable, arguments, environment)  # noqa: S606


if __name__ == "__main__":
    main()
