"""`bellwether providers`: how each does, and which are switched on."""

from typing import Annotated, Any

import typer

from bellwether.cli.failures import WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption

providers = typer.Typer(help="Where posts, news and prices come from: how each does.", no_args_is_help=True)

ProviderName = Annotated[str, typer.Argument(metavar="PROVIDER", help="Such as x, reddit, gdelt, edgar.")]


@providers.command("list", epilog=examples("bellwether providers list", "bellwether providers list --json"))
def list_providers(stage: StageOption = "local", json: JsonOption = False) -> None:
    """List all providers: state, next call, lag behind publication, new items, errors, spending."""
    from datetime import UTC, datetime

    from bellwether.cli import owner
    from bellwether.cli.provider_tables import provider_table
    from bellwether.usecases.provider_status import provider_statuses

    with owner.owner_ports(stage) as ports:
        told = provider_statuses(
            ports.providers.all(), ports.provider_terms(), ports.counts.totals(), datetime.now(UTC)
        )
    Output(json=json).answer({"providers": told}, provider_table(told))


@providers.command(epilog=examples("bellwether providers on gdelt"))
def on(provider: ProviderName, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Ask a provider again from the next round on."""
    switch(provider, enabled=True, stage=stage, json=json)


@providers.command(epilog=examples("bellwether providers off newsapi"))
def off(provider: ProviderName, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Ask a provider no more. Its cursors stay, so that nothing is missed or read twice afterwards."""
    switch(provider, enabled=False, stage=stage, json=json)


def switch(provider: str, *, enabled: bool, stage: str, json: bool) -> None:
    """Writes down whether a provider is asked. Raises `WrongUse` for one there is not."""
    from bellwether.adapters.providers.terms import TERMS
    from bellwether.cli import owner
    from bellwether.domain.entities import ProviderSwitch

    if provider not in TERMS:
        raise WrongUse(f"{provider} is no provider; they are {', '.join(TERMS)}.")
    if TERMS[provider].purpose == "agent":
        hint = f"bellwether agents {'on' if enabled else 'off'} llm --reason …"
        raise WrongUse(
            f"{TERMS[provider].title} is asked by an agent, which has a switch of its own.", hint=hint
        )
    with owner.owner_changes(stage) as ports:
        ports.entities.put("provider", provider, ProviderSwitch(name=provider, enabled=enabled))
    told: dict[str, Any] = {"provider": provider, "enabled": enabled}
    words = "is asked again from the next round on" if enabled else "is asked no more"
    Output(json=json).answer(told, f"[bold]{TERMS[provider].title}[/bold] {words}.")
