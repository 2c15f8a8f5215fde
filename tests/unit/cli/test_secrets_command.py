"""`secrets`: keys go in, are asked about and exchanged, and are never said again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers import guarded_http, key_checks
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.key_checks import QUESTIONS, check_key
from bellwether.adapters.providers.terms import TERMS
from bellwether.cli import owner, secret_documents
from bellwether.cli import secrets as command
from bellwether.cli.failures import Failure, Refused, WrongUse
from bellwether.cli.stage import Stage
from tests.peers import web
from tests.peers.web import Asked, Said, Site, said, site
from tests.unit.cli.conftest import Done

pytestmark = [pytest.mark.enable_socket, pytest.mark.req("S2")]

Typed = Callable[..., Done]
KEY = "s3cr3t-0123456789abcdef"
NAMES = ("news", "openai", "prices", "providers", "reddit", "x")
STAGE = Stage(
    name="staging", api_url="", region="eu-central-2", outputs={f"{n}secretarn": f"arn:{n}" for n in NAMES}
)


class Manager:
    """Secrets Manager: a value gets the stage AWSCURRENT, the one before it becomes AWSPREVIOUS."""

    def __init__(self) -> None:
        self.versions = {f"arn:{name}": ['{"_": "generated"}'] for name in NAMES}
        self.refuses = False

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")
        kept = self.versions[SecretId]
        return {"SecretString": kept[-1 if VersionStage == "AWSCURRENT" else -2]}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:  # noqa: N803
        self.versions[SecretId].append(SecretString)

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803
        kept = self.versions[SecretId]
        stages = ["AWSPREVIOUS", "AWSCURRENT"] if len(kept) > 1 else ["AWSCURRENT"]
        return {"VersionIdsToStages": {f"v{n}": [stage] for n, stage in enumerate(stages)}}

    def now(self, name: str) -> dict[str, str]:
        told: dict[str, str] = json.loads(self.versions[f"arn:{name}"][-1])
        return told


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    made = Manager()
    monkeypatch.setattr(secret_documents, "owner_client", lambda *_: made)
    monkeypatch.setattr(command, "find_stage", lambda _: STAGE)
    monkeypatch.setattr(owner, "keep", lambda _: None)
    return made


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """All providers on loopback instead of where they are."""
    with site() as started:
        real = check_key
        monkeypatch.setattr(
            key_checks, "check_key", lambda name, keys, http: real(name, keys, http, address=started.address)
        )
        monkeypatch.setattr(
            guarded_http, "GuardedHttp", lambda: GuardedHttp(trusted=[started.host], seconds=5)
        )
        yield started


def takes(header: str, value: str) -> Callable[[Asked], Said]:
    return lambda asked: said({"ok": True}, 200 if asked.headers.get(header) == value else 401)


def test_a_value_that_is_piped_in_is_stored_and_never_said(typed: Typed, manager: Manager) -> None:
    done = typed("secrets", "set", "x", stdin=f"{KEY}\n".encode())
    assert done.code == 0
    assert manager.now("x") == {"bearer_token": KEY}
    assert KEY not in done.out + done.err
    typed("secrets", "set", "news", "finnhub_key", stdin=b"one")
    typed("secrets", "set", "news", "newsapi_key", stdin=b"two")
    assert manager.now("news") == {"finnhub_key": "one", "newsapi_key": "two"}


def test_a_value_may_come_from_a_variable(
    typed: Typed, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", KEY)
    assert typed("secrets", "set", "x", "--from-env", "MY_TOKEN", "--json").document == {
        "secret": "x",
        "member": "bearer_token",
        "checked": False,
    }
    assert manager.now("x") == {"bearer_token": KEY}


@pytest.mark.parametrize("value", [b"", b"  \n", "schlüssel".encode(), b"two\nlines", b"a" * 5_000])
def test_what_is_no_key_is_refused_before_it_is_stored(typed: Typed, manager: Manager, value: bytes) -> None:
    assert typed("secrets", "set", "x", stdin=value).code == 2
    assert len(manager.versions["arn:x"]) == 1


def test_names_that_are_none_are_told_apart_with_what_there_is(typed: Typed, manager: Manager) -> None:
    assert "they are news, openai" in typed("secrets", "set", "author_salt", stdin=b"k").err
    assert "name one of" in typed("secrets", "set", "news", stdin=b"k").err
    wrong = typed("secrets", "set", "x", "token", stdin=b"k")
    assert (wrong.code, "it has bearer_token" in wrong.err) == (2, True)
    assert all(len(kept) == 1 for kept in manager.versions.values())


def test_the_list_says_what_is_set_and_what_keeps_a_provider_off(typed: Typed, manager: Manager) -> None:
    typed("secrets", "set", "x", stdin=KEY.encode())
    done = typed("secrets", "list", "--json")
    rows = {(row["secret"], row["member"]): (row["set"], row["needed"]) for row in done.document["secrets"]}
    assert rows["x", "bearer_token"] == (True, True)
    assert rows["news", "newsapi_key"] == (False, True)
    assert rows["reddit", "client_id"] == (False, False)
    assert rows["providers", "user_agent"][0] is False
    assert KEY not in done.out
    assert "missing: its provider is off" in typed("secrets", "list").out


def test_a_key_is_exchanged_only_for_one_the_provider_takes(
    typed: Typed, manager: Manager, peer: Site
) -> None:
    peer.route("GET", "/2/usage/tweets", takes("authorization", f"Bearer {KEY}"))
    nothing = typed("secrets", "rotate", "x", stdin=KEY.encode())
    assert (nothing.code, "secrets set x bearer_token" in nothing.err) == (4, True)
    typed("secrets", "set", "x", stdin=b"old")
    refused = typed("secrets", "rotate", "x", stdin=b"wrong-key")
    assert refused.code == 4
    assert "does not take the key" in refused.err
    assert "wrong-key" not in refused.err
    assert manager.now("x") == {"bearer_token": "old"}
    assert typed("secrets", "rotate", "x", stdin=KEY.encode()).code == 0
    assert manager.now("x") == {"bearer_token": KEY}
    peer.faults.append(web.status(500))
    silent = typed("secrets", "rotate", "x", stdin=b"other")
    assert (silent.code, manager.now("x")) == (1, {"bearer_token": KEY})
    assert typed("secrets", "rotate", "x", "--no-check", stdin=b"other").code == 0


def test_a_change_is_taken_back(typed: Typed, manager: Manager) -> None:
    assert typed("secrets", "undo", "x").code == 4
    typed("secrets", "set", "x", stdin=b"first")
    typed("secrets", "set", "x", stdin=b"second")
    assert typed("secrets", "undo", "x").code == 0
    assert manager.now("x") == {"bearer_token": "first"}


def test_all_keys_are_asked_about_and_one_that_is_refused_fails_the_command(
    typed: Typed, manager: Manager, peer: Site
) -> None:
    assert "No provider's key is set" in typed("secrets", "check").out
    for name, members in {
        "x": {"bearer_token": KEY},
        "reddit": {"client_id": "me", "client_secret": KEY},
        "openai": {"api_key": KEY},
        "news": {"newsapi_key": KEY, "alphavantage_key": KEY},
    }.items():
        for member, value in members.items():
            typed("secrets", "set", name, member, stdin=value.encode())
    peer.route("GET", "/2/usage/tweets", takes("authorization", f"Bearer {KEY}"))
    peer.route("GET", "/v1/models", takes("authorization", "Bearer another"))
    peer.route("POST", "/api/v1/access_token", lambda _: said({"error": "invalid_grant"}))
    peer.route("GET", "/v2/top-headlines/sources", lambda _: Said(200, b"<html>"))
    peer.route(
        "GET", "/query", lambda _: said({"Information": f"We have detected your API key as {KEY} and …"})
    )
    done = typed("secrets", "check", "--json")
    assert done.code == 1
    verdicts = {told["provider"]: told["verdict"] for told in done.document["checks"]}
    assert verdicts == {
        "x": "ok",
        "reddit": "refused",
        "newsapi": "unclear",
        "alphavantage": "refused",
        "openai": "refused",
    }
    assert KEY not in done.out + done.err
    assert typed("secrets", "check", "x").code == 0


def test_nobody_there_is_told_as_such() -> None:
    http = GuardedHttp(trusted=["127.0.0.1:9"], seconds=2)
    told = check_key("x", {"bearer_token": KEY}, http, address="http://127.0.0.1:9")
    assert told.verdict == "unreachable"
    assert (
        check_key("x", {"bearer_token": KEY}, GuardedHttp(), address="http://10.0.0.1").verdict == "unclear"
    )


def test_every_provider_with_a_key_of_its_own_can_be_asked_about_it() -> None:
    with_keys = {name for name, terms in TERMS.items() if terms.secret not in {None, "providers"}}
    assert with_keys - set(QUESTIONS) == {"stooq"}


def test_a_document_that_is_none_and_a_refusal_of_aws_say_what_to_do(manager: Manager) -> None:
    documents = secret_documents.SecretDocuments(STAGE)
    manager.versions["arn:x"].append("not json")
    with pytest.raises(Failure, match="not a JSON object"):
        documents.read("x")
    manager.refuses = True
    with pytest.raises(Refused):
        documents.read("x")
    with pytest.raises(WrongUse):
        documents.read("author_salt")


def test_providers_are_switched_and_listed(
    typed: Typed, ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryPorts, "provider_terms", lambda _: TERMS, raising=False)
    assert typed("providers", "off", "nobody").code == 2
    agent = typed("providers", "off", "openai")
    assert (agent.code, "bellwether agents off llm" in agent.err) == (2, True)
    assert typed("providers", "off", "gdelt").code == 0
    assert ports.entities.records("provider") == [{"name": "gdelt", "enabled": False}]
    assert typed("providers", "on", "gdelt", "--json").document == {"provider": "gdelt", "enabled": True}
    assert ports.entities.records("provider") == [{"name": "gdelt", "enabled": True}]
    done = typed("providers", "list", "--json")
    assert [row["name"] for row in done.document["providers"]] == list(TERMS)
    assert "nothing asked yet" in typed("providers", "list").out
