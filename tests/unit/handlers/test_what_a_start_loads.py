"""Which modules loading a handler must not load: what a function does not need costs every one of its starts.

`benchmarks/cold_start.py` measures the time; this needs no clock.
"""

import json
import subprocess
import sys

import pytest

from infrastructure.functions import FUNCTIONS
from infrastructure.routes import ROUTES

NEVER = {
    "boto3", "pydantic", "httpx", "requests", "pyarrow", "numpy", "pandas", "typer", "rich", "websockets",
    "aws_lambda_powertools.event_handler", "aws_lambda_powertools.utilities.parser",
    "aws_lambda_powertools.utilities.idempotency", "bellwether.cli", "bellwether.desk", "bellwether.backtest",
    "asyncio", "multiprocessing", "unittest", "xml.etree.ElementTree", "pydoc",
}  # fmt: skip
SERVICE_CLIENTS = {"botocore.session", "botocore.client", "botocore.endpoint", "urllib3"}
"""Loaded when the first client is made."""
FEEDS = {"feedparser", "feedparser_sgmllib"}
WEB = {"bellwether.adapters.providers.guarded_http"}
TOKENS = {"jwt", "cryptography"}
TEXTS = {"bellwether.agents.text.model", "bellwether.domain.links"}
LANGUAGE = {"bellwether.agents.llm", "bellwether.agents.language", "bellwether.adapters.providers.openai"}
"""Loaded once the owner has given a key of a language model."""
WAITED_FOR = {"authorizer", "socket", *(route.function for route in ROUTES)}


def loaded(name: str) -> set[str]:
    """The modules that are loaded after a handler's own, in a process of its own."""
    program = (
        "import json, sys; before = set(sys.modules); "
        f"import bellwether.handlers.{name}; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.req("C1", "X1")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_loads_nothing_it_does_not_need(name: str) -> None:
    modules = loaded(name)
    assert f"bellwether.handlers.{name}" in modules
    unwanted = set(NEVER) | LANGUAGE
    if not name.startswith("fetch_"):
        unwanted |= FEEDS
    if not name.startswith("fetch_") and name != "comply":
        unwanted |= WEB
    if name != "authorizer":
        unwanted |= TOKENS
    if name in WAITED_FOR:
        unwanted |= SERVICE_CLIENTS | TEXTS
    assert modules & unwanted == set()
