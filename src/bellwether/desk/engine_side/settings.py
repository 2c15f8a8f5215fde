"""What the desk tells the engine's process, in one JSON text on its standard input."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Folders are absolute; `web` is empty when there is no dashboard."""

    port: int
    region: str
    state: str
    objects: str
    scratch: str
    routes: str
    web: str = ""
    node: str = ""
    """Folder of the node the engine runs Node.js functions with (the cdk's own custom resources are)."""
    token: str = ""
    """What a caller of the control paths must present."""
    closed: bool = False
    """Whether the product's routes wait until the desk says that what a kill interrupted is back."""
    record_calls: bool = False
    """Whether every decision on a role's rights is remembered, for the report on least privilege."""
    idle_seconds: float = 30.0
    most_idle: int = 3
    """Function processes that may wait for work; the longest idle beyond them end after a second."""
    most_per_function: int = 3
    most: int = 10
    """Function processes altogether, before an idle one has to make way."""

    @classmethod
    def parse(cls, text: str) -> "Settings":
        """From `dump`'s text."""
        return cls(**json.loads(text))

    def dump(self) -> str:
        """As one text."""
        return json.dumps(asdict(self))

    def environment(self) -> dict[str, str]:
        """The whole environment of the engine, and so of every function it starts."""
        return {
            "PATH": os.pathsep.join(filter(None, (self.node, os.defpath))),
            "HOME": self.scratch,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "TMPDIR": self.scratch,
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": self.region,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "STATE_DIR": str(Path(self.state) / "engine"),
            "S3_DATA_DIR": self.objects,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # The engine has many threads; by default each would keep freed memory in an arena of its own.
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_TRIM_THRESHOLD_": "131072",
            "LAMBDA_EXECUTOR": "local",
            # A desk needs no containers; without this the engine would tidy up those of other engines here.
            "DOCKER_HOST": "unix:///dev/null/none",
            "LOG_LEVEL": "INFO",
        }
