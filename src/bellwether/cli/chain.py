"""The chain over the API, as the logged-in user: score, propose, risk, decide, evaluate."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwether.cli.connect import ActAs, open_api
from bellwether.cli.failures import Failure, Refused, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption, find_stage
from bellwether.domain.problems import NotFound

if TYPE_CHECKING:
    from bellwether.cli.api import Api

Symbols = Annotated[list[str] | None, typer.Argument(metavar="SYMBOL", help="All tracked assets if none.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="A past moment to replay, such as 2015-03-02T21:00:00Z. Default: now."),
]
Horizon = Annotated[int | None, typer.Option(min=1, max=252, help="Trading days ahead.")]
ACTIONS = ("approve", "reject", "revoke")


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog=examples("bellwether score KO XOM", "bellwether score --as-of 2015-03-02T21:00:00Z"))(
        score
    )
    app.command(epilog=examples("bellwether propose --portfolio core KO"))(propose)
    app.command(
        epilog=examples(
            "bellwether risk 01J9Z3V7M8Q4T6W2R5Y0XKBCDE",
            "bellwether risk --portfolio core --order buy:KO:100",
        )
    )(risk)
    app.command(
        epilog=examples('bellwether decide 01J9Z3V7M8Q4T6W2R5Y0XKBCDE approve --reason "broad evidence"')
    )(decide)
    app.command(
        epilog=examples("bellwether evaluate", "bellwether evaluate --from 2015-01-01 --to 2015-06-30")
    )(evaluate)


def moment(text: str | None, option: str, *, end_of_day: bool = True) -> str | None:
    """An instant for the API from what a person writes; a day alone is its end (or its start)."""
    from bellwether.cli.readers.times import NoTime, read_time

    try:
        at, _ = read_time(text, UTC)
    except NoTime as fault:
        raise WrongUse(f"{option}: {fault}") from None
    if at is None:
        return None
    if not end_of_day and text and len(text.strip()) <= len("2015-01-01"):
        at = at.replace(hour=0, minute=0, second=0)
    return min(at, datetime.now(UTC)).isoformat().replace("+00:00", "Z")


def plain_symbols(symbols: list[str] | None) -> list[str] | None:
    """Symbols without `$`, in capitals; `None` when there are none."""
    from bellwether.cli.asset_files import clean_symbol

    return [clean_symbol(symbol) for symbol in symbols] if symbols else None


def given(**values: Any) -> dict[str, Any]:
    """A request body of what was said."""
    return {name: value for name, value in values.items() if value is not None}


def score(
    symbols: Symbols = None,
    as_of: AsOf = None,
    horizon: Horizon = None,
    why: Annotated[
        bool, typer.Option("--why", help="Show every agent's part, also for many assets.")
    ] = False,
    stage: StageOption = "local",
    act_as: ActAs = None,
    json: JsonOption = False,
) -> None:
    """What the desk believes of each asset, and why.

    Probability, interval, evidence, and every agent's part in them.
    """
    from bellwether.cli.chain_tables import scores_shown

    body = given(assets=plain_symbols(symbols), horizon=horizon, as_of=moment(as_of, "--as-of"))
    with open_api(stage, act_as) as api:
        answer = api.post("/score", body)
    Output(json=json).answer(answer, *scores_shown(answer, why=why))


def propose(
    symbols: Symbols = None,
    portfolio: Annotated[
        str | None, typer.Option(help="Whose cash and limits; may be left out when there is only one.")
    ] = None,
    as_of: AsOf = None,
    horizon: Horizon = None,
    stage: StageOption = "local",
    act_as: ActAs = None,
    json: JsonOption = False,
) -> None:
    """Turn scores into sized, risk-checked proposals.

    For an asset without one the reason is given.
    """
    from bellwether.cli.chain_tables import proposals_shown

    body = given(
        portfolio=portfolio or only_portfolio(stage),
        assets=plain_symbols(symbols),
        horizon=horizon,
        as_of=moment(as_of, "--as-of"),
    )
    with open_api(stage, act_as) as api:
        answer = api.post("/propose", body)
    Output(json=json).answer(answer, *proposals_shown(answer))


def only_portfolio(stage: str) -> str:
    """The one portfolio of the local desk. Raises `WrongUse` when there are several, or none."""
    from bellwether.cli import owner

    if not find_stage(stage).is_local:
        raise WrongUse("Say for which portfolio: --portfolio NAME.")
    with owner.owner_ports(stage) as ports:
        names = [portfolio.name for portfolio in ports.entities.portfolios()]
    if len(names) == 1:
        return names[0]
    if not names:
        raise WrongUse("There is no portfolio yet.", hint="bellwether portfolio set core --cash 1000000")
    raise WrongUse(f"Say for which portfolio: --portfolio {' | '.join(names)}.")


def risk(
    proposal: Annotated[str | None, typer.Argument(metavar="PROPOSAL", help="A proposal's id.")] = None,
    portfolio: Annotated[str | None, typer.Option(help="For orders not proposed yet.")] = None,
    order: Annotated[
        list[str] | None, typer.Option(metavar="SIDE:SYMBOL:QTY", help="Such as buy:KO:100; several times.")
    ] = None,
    as_of: AsOf = None,
    stage: StageOption = "local",
    act_as: ActAs = None,
    json: JsonOption = False,
) -> None:
    """Check a proposal, or orders, against every limit."""
    from bellwether.cli.chain_tables import risk_shown

    if bool(proposal) == bool(order) or (order and not portfolio):
        raise WrongUse("Name either a PROPOSAL, or --portfolio with one --order or more.")
    orders = [order_of(text) for text in order] if order else None
    body = given(proposal_id=proposal, portfolio=portfolio, orders=orders, as_of=moment(as_of, "--as-of"))
    with open_api(stage, act_as) as api:
        answer = api.post("/risk/check", body)
    Output(json=json).answer(answer, *[shown for result in answer["results"] for shown in risk_shown(result)])


def order_of(text: str) -> dict[str, Any]:
    """An order from `buy:KO:100`. Raises `WrongUse`."""
    from bellwether.cli.asset_files import clean_symbol

    side, _, rest = text.partition(":")
    symbol, _, quantity = rest.partition(":")
    try:
        shares = float(quantity)
    except ValueError:
        shares = 0.0
    if side not in {"buy", "sell"} or not symbol or not 0 < shares < float("inf"):
        raise WrongUse(f"--order {text}: write it as buy:KO:100 or sell:KO:100")
    return {"asset": clean_symbol(symbol), "side": side, "quantity": shares}


def decide(
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL", help="A proposal's id.")],
    action: Annotated[str, typer.Argument(metavar="|".join(ACTIONS))],
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")],
    content_hash: Annotated[
        str | None,
        typer.Option("--hash", help="The content you decide on; by default that of the proposal now."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask after showing it.")] = False,
    stage: StageOption = "local",
    act_as: ActAs = None,
    json: JsonOption = False,
) -> None:
    """Approve, reject or revoke a proposal.

    It is shown first; on a terminal the decision is asked for again. What is decided on is named by its
    content hash: a proposal that has changed, or has expired, is refused (exit code 4), and so is an
    approval of one's own proposal.
    """
    from bellwether.cli.chain_tables import decision_shown, proposal_shown

    if action not in ACTIONS:
        raise WrongUse(f"{action} is none of {', '.join(ACTIONS)}")
    output = Output(json=json)
    with open_api(stage, act_as) as api:
        if content_hash is None:
            known = find_proposal(api, proposal, stage)
            content_hash = str(known["content_hash"])
            if not json:
                for part in proposal_shown(known):
                    output.err.print(part)
            confirm(action, ask=not (yes or json))
        body = {"proposal_id": proposal, "content_hash": content_hash, "action": action, "reason": reason}
        answer = api.post("/decision", body)
    output.answer(answer, *decision_shown(answer))


def confirm(action: str, *, ask: bool) -> None:
    """Asks again on a terminal. Raises `Refused` when the answer is no."""
    if ask and sys.stdin.isatty() and not typer.confirm(f"{action.capitalize()} this?", err=True):
        raise Refused("Nothing was decided.", title="Not decided")


def find_proposal(api: "Api", proposal_id: str, stage: str) -> dict[str, Any]:
    """The proposal as it is now: from the dashboard's summary, else (by the desk's owner) from its table."""
    summary = api.get("/dashboard/summary").json()
    if found := within(summary, proposal_id):
        return found
    owned = owners_view(proposal_id, stage)
    if owned is None:
        raise Failure(
            f"There is no open proposal {proposal_id}; name its content with --hash if it is not open.",
            title="Unknown proposal",
        )
    return owned


def within(document: Any, proposal_id: str) -> dict[str, Any] | None:
    """The proposal anywhere in a document."""
    if isinstance(document, dict):
        if document.get("proposal_id") == proposal_id and "content_hash" in document:
            return document
        document = list(document.values())
    if isinstance(document, list):
        return next((found for part in document if (found := within(part, proposal_id))), None)
    return None


def owners_view(proposal_id: str, stage: str) -> dict[str, Any] | None:
    """The proposal from its table with the owner's credentials; `None` when that is not to be had."""
    import msgspec

    from bellwether.cli import owner

    if not find_stage(stage).is_local:
        return None
    with owner.owner_ports(stage) as ports:
        try:
            found = ports.proposals.get(proposal_id)
        except NotFound:
            return None
    return msgspec.to_builtins(found[0]) if found else None


def evaluate(
    first: Annotated[str | None, typer.Option("--from", help="First day or moment.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day or moment.")] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="proposal|score", help="Decided proposals, or all kept scores; both if missing."
        ),
    ] = None,
    stage: StageOption = "local",
    act_as: ActAs = None,
    json: JsonOption = False,
) -> None:
    """Resolve what has reached its horizon.

    Gives every agent its track record, which weighs it in the next scores.
    """
    from bellwether.cli.evaluation_tables import evaluation_shown

    if scope not in {None, "proposal", "score"}:
        raise WrongUse(f"--scope is proposal or score, not {scope}")
    body = given(
        **{"from": moment(first, "--from", end_of_day=False), "to": moment(last, "--to"), "scope": scope}
    )
    with open_api(stage, act_as) as api:
        answer = api.post("/evaluate", body)
    Output(json=json).answer(answer, *evaluation_shown(answer))
