"""What tests of handlers share: ports in memory and the lines a handler logged."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.handlers.logs import logger

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def ports() -> MemoryPorts:
    """Every port in memory, empty."""
    return MemoryPorts()


@pytest.fixture
def logged() -> Iterator[Logged]:
    """The lines logged during the test, decoded."""
    written = io.StringIO()
    streams = [h for h in logging.getLogger(logger.service).handlers if isinstance(h, logging.StreamHandler)]
    assert streams, "the logger writes nowhere"
    before = [handler.setStream(written) for handler in streams]
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    for handler, stream in zip(streams, before, strict=True):
        if stream is not None:
            handler.setStream(stream)
