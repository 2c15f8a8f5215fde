"""Where items are read from: files, URLs and standard input, all as a seekable stream of bounded size."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from bellwether.cli.readers.formats import FileRefused

LARGEST_DOWNLOAD = 64 * 1024 * 1024
LARGEST_STDIN = 4 * 1024 * 1024 * 1024
DOWNLOAD_SECONDS = 60.0
MOST_REDIRECTS = 5
_IN_MEMORY = 16 * 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Document:
    """An open source of items. `url` is set when it came from the web; `size` in bytes."""

    name: str
    stream: IO[bytes]
    size: int
    url: str | None = None


def is_url(name: str) -> bool:
    """Whether a name on the command line is an address of the web."""
    return name.lower().startswith(("http://", "https://"))


@contextmanager
def open_document(name: str) -> Iterator[Document]:
    """Opens a path, a URL or `-`. Raises `FileRefused` with the reason when it cannot be read."""
    if name == "-":
        with _spool(_stdin(), LARGEST_STDIN) as (stream, size):
            yield Document(name="-", stream=stream, size=size)
    elif is_url(name):
        with _spool(_download(name), LARGEST_DOWNLOAD) as (stream, size):
            yield Document(name=name, stream=stream, size=size, url=name)
    else:
        path = Path(name)
        with _open_file(path) as stream:
            yield Document(name=name, stream=stream, size=path.stat().st_size)


def _open_file(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise FileRefused("it is a folder; name the files in it")
        if not path.is_file():
            raise FileRefused("there is no such file" if not path.exists() else "it is not a regular file")
        return path.open("rb")
    except OSError as fault:
        raise FileRefused(f"it cannot be opened ({fault.strerror})") from None


@contextmanager
def _spool(chunks: Iterator[bytes], limit: int) -> Iterator[tuple[IO[bytes], int]]:
    """Copies a stream to where it can be read twice, in memory while it is small."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as stream:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise FileRefused(f"it is larger than {limit // (1024 * 1024)} MB")
            stream.write(chunk)
        stream.seek(0)
        yield stream, size


def _stdin() -> Iterator[bytes]:
    while chunk := sys.stdin.buffer.read(_CHUNK):
        yield chunk


def _download(url: str) -> Iterator[bytes]:
    """The body of a GET, with bounds on time, size (by the caller) and redirects."""
    import time

    import httpx

    if not urlsplit(url).hostname:
        raise FileRefused("the address names no host")
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    headers = {"User-Agent": "bellwether", "Accept": "application/rss+xml, application/atom+xml, */*;q=0.5"}
    client = httpx.Client(follow_redirects=True, max_redirects=MOST_REDIRECTS, timeout=20, headers=headers)
    try:
        with client, client.stream("GET", url) as response:
            if response.status_code >= 400:
                raise FileRefused(f"the server answered {response.status_code} {response.reason_phrase}")
            for chunk in response.iter_bytes():
                if time.monotonic() > deadline:
                    raise FileRefused(f"it did not arrive within {DOWNLOAD_SECONDS:.0f} s")
                yield chunk
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise FileRefused(f"it cannot be fetched ({str(fault) or type(fault).__name__})") from None
