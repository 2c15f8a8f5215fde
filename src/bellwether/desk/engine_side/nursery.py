"""The process functions are forked from.

It imports once what every function of the desk imports (the AWS SDK, the layer's libraries, the product's
pure modules) and then forks a copy per function process: a copy starts in milliseconds and shares those pages
with its siblings, where a process of its own spends most of a second and some fifty megabytes on them.

Run as a script by `spawning.py`, in the engine's environment, with one end of a socket as file descriptor 0.
Requests are framed as: 4 bytes of length (with the child's stdin, stdout, stderr and its life pipe attached),
then JSON {"cwd", "env", "script", "name"}; the answer is the child's pid as 4 bytes.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import label

_LIBRARIES = (
    "boto3",
    "botocore.handlers",
    "botocore.httpsession",
    "botocore.endpoint",
    "concurrent.futures",
    "decimal",
    "msgspec",
    "aws_lambda_powertools",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.batch",
    "jwt",
    "cryptography.hazmat.primitives.asymmetric.rsa",
)
# Held by an import contract (pyproject.toml) to be free of I/O, AWS and clocks, so they are the same in every
# function. Handlers and adapters read their function's environment and are imported after the fork.
_PURE_PACKAGES = ("bellwether.domain", "bellwether.usecases", "bellwether.agents")
_SERVICES = ("dynamodb", "s3", "sqs", "secretsmanager")


def main(code: str, layers: list[str]) -> None:
    """Import, then fork a function process per request until the engine closes its end."""
    engine = socket.socket(fileno=os.dup(0))
    gc.disable()
    paths = [code, *layers]
    sys.path[:0] = paths
    _preload()
    for path in paths:
        sys.path.remove(path)
    gc.collect()
    # Objects made so far are never examined again: a collection in a child would copy every page it touches.
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while (request := _receive(engine)) is not None:
        message, handles = request
        child = os.fork()
        if child == 0:
            engine.close()
            _become(message, handles)
        for handle in handles:
            os.close(handle)
        try:
            engine.sendall(struct.pack("!i", child))
        except OSError:
            return  # the engine is gone; the child sees the end of its input and ends, too


def _preload() -> None:
    # Whatever cannot be imported here is imported, or fails, in the function that wants it.
    for name in _LIBRARIES:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for package in _PURE_PACKAGES:
        with contextlib.suppress(Exception):
            root = importlib.import_module(package)
            for module in pkgutil.walk_packages(root.__path__, f"{package}."):
                with contextlib.suppress(Exception):
                    importlib.import_module(module.name)
    with contextlib.suppress(Exception):
        _share_service_models()


def _share_service_models() -> None:
    """Read the SDK's large descriptions of services once instead of once per process."""
    import botocore.loaders
    import botocore.session

    read = botocore.loaders.JSONFileLoader.load_file
    kept: dict[str, Any] = {}

    def load_file(self: Any, path: str) -> Any:
        if path not in kept:
            kept[path] = read(self, path)
        return kept[path]

    setattr(botocore.loaders.JSONFileLoader, "load_file", load_file)  # noqa: B010 - replaced on purpose
    loader = botocore.session.get_session().get_component("data_loader")
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
    for service in _SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
            loader.load_service_model(service, kind)


def _receive(engine: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    header, handles, _, _ = socket.recv_fds(engine, 4, 4)
    if len(header) < 4:
        return None
    size = struct.unpack("!i", header)[0]
    text = b""
    while len(text) < size:
        part = engine.recv(size - len(text))
        if not part:
            return None
        text += part
    return json.loads(text), handles


def _become(message: dict[str, Any], handles: list[int]) -> NoReturn:
    """Turn this copy into a function's process and run the engine's worker script in it."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, handle in enumerate(handles[:3]):
            os.dup2(handle, number)
            os.close(handle)
        os.set_inheritable(handles[3], False)
        os.environ.clear()
        label.show(message["name"])
        os.environ.update(message["env"])
        os.chdir(message["cwd"])
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1, closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, errors="replace", closefd=False)
        sys.argv = [message["script"]]
        gc.enable()
        script = Path(message["script"])
        exec(compile(script.read_bytes(), str(script), "exec"), {"__name__": "__main__"})  # noqa: S102 - its job
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - a function's process ends with its traceback, never in the loop above
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
