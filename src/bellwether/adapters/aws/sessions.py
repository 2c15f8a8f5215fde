"""A session of the service library that starts fast.

Most of what a client costs to make is finding and reading the descriptions of services and endpoints. The
library does both through a loader one may replace; this one decodes the same files with msgspec, and does not
look into the folder of every service there is.
"""

import gzip
import os
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
from botocore.loaders import JSONFileLoader, Loader


class DescriptionFiles(JSONFileLoader):
    """Reads descriptions as the library does, only with another decoder."""

    def load_file(self, file_path: str) -> Any:
        """The contents of `file_path` with `.json` or `.json.gz`; `None` when there is neither."""
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return msgspec.json.decode(plain.read_bytes())
        if packed.is_file():
            return msgspec.json.decode(gzip.decompress(packed.read_bytes()))
        return None


class Descriptions(Loader):
    """The library's own descriptions and those `AWS_DATA_PATH` names."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  the library's signature
        """Folders of services; whether one holds a description is seen when it is read."""
        folders = (Path(path) for path in self.search_paths)
        return sorted({entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()})


def new_session() -> botocore.session.Session:
    """A session of its own, with region and credentials as the environment says."""
    session = botocore.session.Session()
    told = session.get_config_variable("data_path") or ""
    more = [str(Path(os.path.expandvars(path)).expanduser()) for path in told.split(os.pathsep) if path]
    session.register_component(
        "data_loader", Descriptions(extra_search_paths=more, file_loader=DescriptionFiles())
    )
    return session
