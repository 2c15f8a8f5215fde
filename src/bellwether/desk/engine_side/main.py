"""The engine's process: settings in, one listening port out, a whole state behind."""

import asyncio
import contextlib
import logging
import os
import resource
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from . import forking, guard
from .checkpoints import Checkpoints
from .durability import Streams, acknowledge_only_written_objects, settle_stacks, sweep_unfinished_objects
from .figures import Figures
from .front import FrontDoor
from .generations import Generations
from .recorded_calls import RecordedCalls
from .replies import problem, reply_json
from .routes import RoutesFile
from .settings import Settings
from .site import Site
from .spawning import Nurseries
from .types import Scope, Send
from .workers import Workers

log = logging.getLogger("bellwether.engine")


class Process:
    """Everything that runs around the engine, built once."""

    def __init__(self, settings: Settings, engine: Any) -> None:
        self._settings = settings
        self._engine = engine
        self._started = time.time()
        self._stop = asyncio.Event()
        self._generations = _generations(settings, engine)
        self.workers, self.nurseries = _workers(settings)
        self.front = FrontDoor(
            engine.app,
            routes=RoutesFile(Path(settings.routes)),
            site=Site(Path(settings.web) if settings.web else None),
            control=self._control,
            closed=settings.closed,
        )
        self.calls = _recorded(settings)
        self.checkpoints = Checkpoints(self._generations, engine._build_persistence_save_dict, self._activity)

    async def serve(self) -> None:
        """Serve until told to stop; then checkpoint and end every function process."""
        from hypercorn.asyncio import serve  # type: ignore[import-not-found]
        from hypercorn.config import Config  # type: ignore[import-not-found]

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        config = Config()
        config.bind = [f"127.0.0.1:{self._settings.port}"]
        config.keep_alive_timeout = 75
        config.graceful_timeout = 1.0
        config.shutdown_timeout = 5.0
        config.loglevel = "WARNING"
        tasks = [asyncio.create_task(self.checkpoints.run()), asyncio.create_task(self.workers.run())]
        # The engine's own saving at shutdown is replaced: the generation is written below, after the last
        # function has ended.
        self._engine.save_all = _nothing
        try:
            await serve(self.front, config, shutdown_trigger=self._stop.wait)
        finally:
            for task in tasks:
                task.cancel()
            await self._close()

    async def _close(self) -> None:
        from ministack.core import lambda_runtime

        self.workers.close()
        await asyncio.to_thread(lambda_runtime.reset)
        await asyncio.to_thread(self.nurseries.close)
        await self.checkpoints.take()
        log.info("stopped, state written")

    def _activity(self) -> int:
        return self.front.requests + self.workers.invocations

    async def _control(self, scope: Scope, send: Send) -> bool:
        """Answer the desk's own calls; False for every other path."""
        path = scope["path"]
        if not path.startswith("/_bellwether/"):
            return False
        presented = guard.header(scope["headers"], b"x-bellwether-token") or ""
        if path == "/_bellwether/status":
            await reply_json(send, self._status())
        elif not secrets.compare_digest(presented, self._settings.token):
            await problem(send, 403, "The control paths need the desk's token.")
        elif path == "/_bellwether/checkpoint" and scope["method"] == "POST":
            written = await self.checkpoints.take()
            await reply_json(send, {"written": written}, 200 if written else 507)
        elif path == "/_bellwether/calls" and self.calls is not None:
            await reply_json(send, self.calls.document())
        elif path == "/_bellwether/open" and scope["method"] == "POST":
            self.front.closed = False
            await reply_json(send, {"open": True})
        else:
            await problem(send, 404, "No such control path.")
        return True

    def _status(self) -> dict[str, Any]:
        last = self.checkpoints.last
        return {
            "pid": os.getpid(),
            "started": self._started,
            "open": not self.front.closed,
            "requests": self.front.requests,
            "invocations": self.workers.invocations,
            "workers": self.workers.count(),
            "checkpoint": {**vars(last), "interval": self.checkpoints.interval()},
        }


def _generations(settings: Settings, engine: Any) -> Generations:
    from ministack.core import persistence

    generations = Generations(
        Path(settings.state) / "generations", persistence._json_default, persistence._json_object_hook
    )
    with generations.locked():
        generations.sweep()
    engine.load_state = persistence.load_state = generations.load
    return generations


def _workers(settings: Settings) -> tuple[Workers, Nurseries]:
    from ministack.core import lambda_runtime
    from ministack.services import (
        cloudformation,
        cloudwatch,
        cloudwatch_logs,
        dynamodb,
        lambda_svc,
        s3,
    )

    acknowledge_only_written_objects(s3)
    Streams(dynamodb, lambda_svc).install()
    settle_stacks(cloudformation)
    Figures(cloudwatch_logs, cloudwatch).install()
    # Code stays in this process's generations; the service's own blob files would be pruned too early.
    lambda_svc._externalize_code_zip = _nothing
    lambda_svc._prune_orphan_code_blobs = _nothing
    workers = Workers(
        lambda_runtime,
        idle_seconds=settings.idle_seconds,
        most_idle=settings.most_idle,
        most_per_function=settings.most_per_function,
        most=settings.most,
    )
    workers.install(lambda_svc)
    return workers, forking.install(lambda_runtime, lambda_svc, Path(settings.scratch))


def _recorded(settings: Settings) -> RecordedCalls | None:
    if not settings.record_calls:
        return None
    from ministack.core import iam_evaluator

    calls = RecordedCalls()
    calls.install(iam_evaluator)
    return calls


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _prepare(settings: Settings) -> None:
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(settings.environment())
    shutil.rmtree(settings.scratch, ignore_errors=True)
    for folder in (settings.scratch, settings.state, settings.objects):
        Path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep_unfinished_objects(Path(settings.objects))
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))


def main(told: str) -> None:
    """Run the engine with the settings `told`; the process ends with it."""
    settings = Settings.parse(told)
    _prepare(settings)
    import ministack.app as engine

    async def run() -> None:
        await Process(settings, engine).serve()
        # Threads that still wait for something would hold up a normal end; all they hold is written by now.
        sys.stderr.flush()
        os._exit(0)

    try:
        asyncio.run(run())
    except Exception:
        logging.getLogger("bellwether.engine").exception("the engine ended with an error")
        sys.stderr.flush()
        os._exit(1)
