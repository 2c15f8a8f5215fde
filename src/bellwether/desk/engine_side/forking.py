"""The engine's function worker, forked from a nursery instead of started from nothing."""

import json
import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from .spawning import Nurseries

log = logging.getLogger("bellwether.forking")


class Forking:
    """Mixed into the engine's `Worker`; `runtime` and `functions` are the engine's modules."""

    runtime: Any
    functions: Any
    nurseries: Nurseries
    config: dict[str, Any]
    code_zip: bytes
    func_name: str
    _tmpdir: str | None
    _proc: Any
    _stderr_queue: Any
    _stderr_thread: threading.Thread | None
    _start_time: float

    def _spawn(self) -> None:
        try:
            self._fork()
        except OSError:
            # No nursery, no descriptors, no space: the engine's own way still may work.
            log.exception("could not fork %s; starting a process of its own", self.func_name)
            super()._spawn()  # type: ignore[misc]

    def _fork(self) -> None:
        if self._tmpdir:
            shutil.rmtree(self._tmpdir, ignore_errors=True)
        self._tmpdir = tempfile.mkdtemp(prefix=f"function-{self.func_name[:60]}-")
        code = self.nurseries.unpacked(self.code_zip)
        layers = [self.nurseries.unpacked(data) for data in self._layers()]
        variables = self._variables()
        environment = {**os.environ, **variables, **self._identity(code, layers, variables)}
        script = Path(self._tmpdir) / "_worker.py"
        script.write_text(self.runtime._PYTHON_WORKER_SCRIPT)
        self._proc = self.nurseries.nursery(code, layers).fork(
            script=str(script), folder=str(code), environment=environment, name=self.func_name
        )
        self._stderr_queue = self.runtime.queue.Queue()
        read = self._read_stderr  # type: ignore[attr-defined]
        self._stderr_thread = threading.Thread(target=read, daemon=True)
        self._stderr_thread.start()
        self._introduce(code, variables)
        self._start_time = time.time()

    def _layers(self) -> list[bytes]:
        found = [self.functions._resolve_layer_zip(reference) for reference in self.config.get("Layers", [])]
        return [data for data in found if data]

    def _variables(self) -> dict[str, str]:
        given = self.config.get("Environment", {}).get("Variables", {})
        return {
            key: value for key, value in given.items() if key not in self.runtime._RESERVED_RUNTIME_ENV_VARS
        }

    def _identity(self, code: Path, layers: list[Path], variables: dict[str, str]) -> dict[str, str]:
        """What Lambda itself sets; the same values as the engine's own worker gets."""
        config = self.config
        _, region = self.runtime._account_region_from_function_config(config)
        endpoint = variables.get("AWS_ENDPOINT_URL") or f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
        return {
            **self.runtime.execution_credentials(config),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": endpoint,
            self.runtime.HOST_PREFIX_ENV: "true",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', 'python')}",
            "AWS_LAMBDA_FUNCTION_NAME": config.get("FunctionName", ""),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_LOG_STREAM_NAME": os.urandom(16).hex(),
            "LAMBDA_TASK_ROOT": str(code),
            "TMPDIR": str(self._tmpdir),
            "_LAMBDA_FUNCTION_ARN": config.get("FunctionArn", ""),
            "_LAMBDA_TIMEOUT": str(config.get("Timeout", 30)),
            "_LAMBDA_LAYERS_DIRS": os.pathsep.join(map(str, layers)),
        }

    def _introduce(self, code: Path, variables: dict[str, str]) -> None:
        """Tell the worker script what to import, and wait until it has."""
        module, name = self.config.get("Handler", "index.handler").rsplit(".", 1)
        first = {
            "code_dir": str(code),
            "module": module.replace("/", "."),
            "handler": name,
            "env": variables,
            "function_name": self.config.get("FunctionName", ""),
            "memory": self.config.get("MemorySize", 128),
            "arn": self.config.get("FunctionArn", ""),
            "snapstart": False,
        }
        self._proc.stdin.write(json.dumps(first) + "\n")
        self._proc.stdin.flush()
        while not (line := self._proc.stdout.readline()).startswith("{"):
            if not line:
                # Its last words travel through the thread that reads them.
                time.sleep(0.05)
                said = self._drain_stderr()  # type: ignore[attr-defined]
                raise RuntimeError(f"the function's process ended at once: {said}")
        answer = json.loads(line)
        if answer.get("status") != "ready":
            raise RuntimeError(f"Worker init failed: {answer.get('error')}")


def install(runtime: Any, functions: Any, scratch: Path) -> Nurseries:
    """Make the engine fork Python functions; other runtimes stay as they are."""
    nurseries = Nurseries(scratch)
    parts = {"runtime": runtime, "functions": functions, "nurseries": nurseries}
    forking = type("ForkingWorker", (Forking, runtime.Worker), parts)
    choose = runtime._worker_class_for

    def worker_class_for(config: Any) -> Any:
        chosen = choose(config)
        python = str(config.get("Runtime", "python")).startswith("python")
        return forking if chosen is runtime.Worker and python else chosen

    runtime._worker_class_for = worker_class_for
    return nurseries
