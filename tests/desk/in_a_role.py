"""Runs a function's own code with its role's credentials, where a desk cannot make it do what is to be seen.

    python -m tests.desk.in_a_role NAME [--feed URL] [--x URL] [--message BODY] [--model SECRET]

The environment is the function's, with the credentials of its role. Fetchers never read from this machine:
with `--feed` everything they ask the web for is answered by that one address, with `--x` X is there. With
`--message` it is the function of a queue; `--model` is the text its secret of a language model would hold.
"""

import argparse
import dataclasses
import importlib
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from bellwether.adapters.memory import MemorySecrets
from bellwether.adapters.providers.guarded_http import GuardedHttp, Response
from bellwether.handlers.settings import read_settings
from tests.peers.x import KEY


class OneFeed(GuardedHttp):
    """The web as one page of this machine."""

    def __init__(self, url: str) -> None:
        super().__init__(trusted={urlsplit(url).netloc})
        self._url = url

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        return super().get(self._url, headers)


def main() -> None:
    """Runs once and prints what the run told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--feed")
    parser.add_argument("--x")
    parser.add_argument("--message")
    parser.add_argument("--model")
    told = parser.parse_args()
    module = importlib.import_module(f"bellwether.handlers.{told.name}")
    settings = read_settings(module.Settings)
    parts = module.compose(settings)
    if told.feed:
        parts = dataclasses.replace(parts, http=OneFeed(told.feed))
    if told.x:
        keys = parts.keys
        parts = dataclasses.replace(
            parts,
            http=GuardedHttp(trusted={urlsplit(told.x).netloc}),
            addresses={"x": told.x},
            keys=lambda: {**keys(), "x": {"bearer_token": KEY}},
            sleep=lambda _: None,
        )
    if told.model:
        kept = MemorySecrets({settings.openai_secret_arn: told.model})
        parts.language._make_secrets = lambda: kept
    if told.message:
        done = module.work(told.message.encode(), parts)
    else:
        done = module.work({"source": "bellwether.test"}, parts, 60.0)
    print(json.dumps(done))


if __name__ == "__main__":
    main()
