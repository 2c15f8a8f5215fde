"""`bellwether secrets`: the providers' keys, set, checked and exchanged without ever being shown."""

import os
import sys
from typing import Annotated, Any

import typer

from bellwether.cli.failures import Failure, Refused, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption, find_stage

secrets = typer.Typer(
    help="The providers' keys: set, check, exchange. None is ever shown.", no_args_is_help=True
)

SecretName = Annotated[str, typer.Argument(metavar="SECRET", help="Such as x, reddit, news, prices, openai.")]
MemberName = Annotated[
    str | None,
    typer.Argument(metavar="MEMBER", help="Such as bearer_token; not needed if there is only one."),
]
FromVariable = Annotated[
    str | None, typer.Option("--from-env", metavar="NAME", help="Read the value from this variable.")
]
Check = Annotated[bool, typer.Option("--check/--no-check", help="Ask the provider before it is stored.")]


@secrets.command("list", epilog=examples("bellwether secrets list"))
def list_secrets(stage: StageOption = "local", json: JsonOption = False) -> None:
    """List the secrets: which members are set, which a provider still needs. Values are never read out."""
    from rich.table import Table

    from bellwether.cli.secret_documents import SecretDocuments, members_of, needed, secret_names

    documents = SecretDocuments(find_stage(stage))
    found: list[dict[str, Any]] = []
    for name in secret_names():
        members = documents.read(name)
        for member in members_of(name):
            is_set = bool(members.get(member))
            found.append({"secret": name, "member": member, "set": is_set, "needed": member in needed(name)})
    table = Table("secret", "member", "state", title="Keys of providers")
    for told in found:
        state = "set" if told["set"] else "missing: its provider is off" if told["needed"] else "not set"
        table.add_row(told["secret"], told["member"], state)
    Output(json=json).answer({"secrets": found}, table)


@secrets.command(
    "set",
    epilog=examples(
        "bellwether secrets set x",
        "bellwether secrets set news finnhub_key --from-env FINNHUB_KEY",
        "pass show reddit | bellwether secrets set reddit client_secret",
        'bellwether secrets set providers user_agent   (such as "Desk name you@example.org")',
    ),
)
def set_secret(
    secret: SecretName,
    member: MemberName = None,
    from_env: FromVariable = None,
    check: Check = False,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Store one member of a secret. The value is typed unseen, or piped in; never given as an argument.

    Functions take it up within five minutes. The version before can be had back: bellwether secrets undo.
    """
    store(secret, member, from_env=from_env, check=check, must_exist=False, stage=stage, json=json)


@secrets.command(
    epilog=examples("bellwether secrets rotate x", "bellwether secrets rotate openai --no-check")
)
def rotate(
    secret: SecretName,
    member: MemberName = None,
    from_env: FromVariable = None,
    check: Check = True,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Exchange a key for a new one: the provider is asked whether it takes it before it is stored.

    Make the new key at the provider first, exchange it here, and end the old one there five minutes later.
    """
    store(secret, member, from_env=from_env, check=check, must_exist=True, stage=stage, json=json)


@secrets.command(epilog=examples("bellwether secrets undo x"))
def undo(secret: SecretName, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Take the version of a secret back that the last change replaced."""
    from bellwether.cli.owner import keep
    from bellwether.cli.secret_documents import PREVIOUS, SecretDocuments, members_of

    members_of(secret)
    documents = SecretDocuments(find_stage(stage))
    if not documents.has_previous(secret):
        raise Refused(f"There is no version of {secret} before this one.")
    members = documents.read(secret, PREVIOUS)
    documents.write(secret, members)
    keep(stage)
    told = {"secret": secret, "members": sorted(members)}
    Output(json=json).answer(told, f"[bold]{secret}[/bold] is what it was before the last change.")


@secrets.command(epilog=examples("bellwether secrets check", "bellwether secrets check x"))
def check(
    secret: Annotated[str | None, typer.Argument(metavar="SECRET", help="Only this one.")] = None,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Ask each provider whether it takes the desk's key, with one cheap call. Exit code 1 if one does not.

    NewsAPI and Alpha Vantage count it as one of the day's calls.
    """
    from rich.table import Table

    from bellwether.cli.secret_documents import SecretDocuments, members_of, secret_names

    if secret is not None:
        members_of(secret)
    documents = SecretDocuments(find_stage(stage))
    output = Output(json=json)
    found = []
    with output.err.status("Asking providers …"):
        for name in [secret] if secret else secret_names():
            found += checks_of(name, documents.read(name))
    table = Table("provider", "key", "what it says", title="Keys of providers")
    for told in found:
        table.add_row(told.provider, told.verdict, told.detail)
    output.answer({"checks": found}, table if found else "No provider's key is set: bellwether secrets list")
    if any(told.verdict != "ok" for told in found):
        raise typer.Exit(1)


def store(
    secret: str,
    member: str | None,
    *,
    from_env: str | None,
    check: bool,
    must_exist: bool,
    stage: str,
    json: bool,
) -> None:
    """Reads a value unseen and stores it, asked about first if wanted."""
    from bellwether.cli.owner import keep
    from bellwether.cli.secret_documents import SecretDocuments

    name = one_member(secret, member)
    documents = SecretDocuments(find_stage(stage))
    members = documents.read(secret)
    if must_exist and not members.get(name):
        raise Refused(f"{secret} has no {name} to exchange.", hint=f"bellwether secrets set {secret} {name}")
    members[name] = value_of(secret, name, from_env)
    output = Output(json=json)
    if check:
        with output.err.status("Asking the provider …"):
            refuse_unless_taken(secret, name, members)
    documents.write(secret, members)
    keep(stage)
    output.answer(
        {"secret": secret, "member": name, "checked": check},
        f"Stored [bold]{name}[/bold] of {secret}. Functions take it up within five minutes.",
    )


def one_member(secret: str, member: str | None) -> str:
    """The member that is meant. Raises `WrongUse`."""
    from bellwether.cli.secret_documents import members_of, needed

    members = members_of(secret)
    if member is None:
        likely = needed(secret) or members
        if len(likely) > 1:
            raise WrongUse(f"{secret} has several members; name one of {', '.join(members)}.")
        return likely[0]
    if member not in members:
        raise WrongUse(f"{secret} has no member {member}; it has {', '.join(members)}.")
    return member


def value_of(secret: str, member: str, from_env: str | None) -> str:
    """The value from a variable, from what is piped in, or typed unseen. Raises `WrongUse`."""
    from bellwether.handlers.provider_keys import usable

    if from_env is not None:
        told = os.environ.get(from_env, "")
    elif sys.stdin.isatty():
        told = typer.prompt(f"{member} of {secret} (not shown)", hide_input=True, err=True)
    else:
        told = sys.stdin.read()
    value = told.strip()
    if not usable(value):
        where = f"the variable {from_env}" if from_env else "what was given"
        raise WrongUse(f"{where} is empty, or holds signs that no key has (line ends, umlauts)")
    return value


def refuse_unless_taken(secret: str, member: str, members: dict[str, str]) -> None:
    """Asks the member's providers. Raises `Refused` when one does not take it, `Failure` for silence."""
    from bellwether.adapters.providers.key_checks import QUESTIONS

    told = [one for one in checks_of(secret, members) if member in QUESTIONS[one.provider].members]
    hint = "nothing was stored; --no-check stores it unasked"
    if refused := [one for one in told if one.verdict == "refused"]:
        raise Refused(f"{refused[0].provider} does not take the key: {refused[0].detail}", hint=hint)
    if unclear := [one for one in told if one.verdict != "ok"]:
        raise Failure(f"{unclear[0].provider} does not say: {unclear[0].detail}", hint=hint)


def checks_of(secret: str, members: dict[str, str]) -> list[Any]:
    """What the providers of a secret say to the keys that are set."""
    from bellwether.adapters.providers.guarded_http import GuardedHttp
    from bellwether.adapters.providers.key_checks import QUESTIONS, check_key
    from bellwether.adapters.providers.terms import TERMS

    http = GuardedHttp()
    return [
        check_key(name, members, http)
        for name, terms in TERMS.items()
        if terms.secret == secret and name in QUESTIONS and all(map(members.get, QUESTIONS[name].members))
    ]
