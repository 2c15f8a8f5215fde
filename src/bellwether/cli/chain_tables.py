"""The chain's answers as tables that say why, made from the API's documents as they are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

Document = Mapping[str, Any]

MOST_EXPLAINED = 5
MOST_QUIET = 10
_QUIET = {
    "no_edge": "too close to the base rate to be worth an order (name an asset to see how close)",
    "abstained": "no agent has a live view of them",
}
WORTH_TELLING = 5
"""Young accounts that do the same; fewer are a coincidence."""
_VERDICTS = {"pass": "green", "clamp": "yellow", "deny": "bold red"}
_STATUSES = {"pending": "yellow", "approved": "green", "rejected": "red", "revoked": "red"}


def percent(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """A share as per cent; an undefined figure is a dash, never 0."""
    if value is None:
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}%}"


def number(value: float | None, digits: int = 2) -> str:
    """A figure with thousands separated; an undefined one is a dash."""
    return "–" if value is None else f"{value:,.{digits}f}"


def coloured(value: float | None, text: str) -> Text:
    """Green above zero, red below."""
    style = "" if not value else "green" if value > 0 else "red"
    return Text(text, style=style)


def scores_shown(answer: Document, *, why: bool) -> list[RenderableType]:
    """Scores of a `POST /score`: one line an asset, and the reasons of the few (or with `why` of all)."""
    scores: Sequence[Document] = answer["scores"]
    title = f"Scores as of {answer['as_of']}, {answer['horizon']} trading day(s) ahead"
    table = Table(title=title, title_justify="left")
    for name in ("asset", "p(up)", "90 % interval", "edge", "evidence n", "disagreement", "record"):
        table.add_column(name, justify="left" if name in {"asset", "record"} else "right")
    for score in scores:
        table.add_row(*_score_cells(score))
    if not scores:
        return ["No asset is tracked yet: bellwether track add SYMBOL --name NAME"]
    if why or len(scores) <= MOST_EXPLAINED:
        return [table, *(contributions_shown(score) for score in scores)]
    return [table, "[dim]bellwether score SYMBOL shows what stands behind a score.[/dim]"]


def _score_cells(score: Document) -> list[RenderableType]:
    interval = score.get("interval")
    return [
        score["asset"],
        "abstains" if score["p_up"] is None else percent(score["p_up"]),
        f"{percent(interval[0])} to {percent(interval[1])}" if interval else "–",
        coloured(score["edge"], percent(score["edge"], 2, signed=True)),
        number(score["n_eff"]),
        number(score["disagreement"], 3),
        score["track_record"],
    ]


def contributions_shown(score: Document) -> RenderableType:
    """Every agent's part in a score, and how the items behind it are spread."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("agent", "view", "weight", "evidence", "moved by", "signals"):
        table.add_column(name, justify="left" if name == "agent" else "right", no_wrap=True)
    table.add_column("because", overflow="fold")
    for part in score["contributions"]:
        because = part.get("abstained") or part.get("rationale") or ""
        table.add_row(
            f"{part['agent_id']} v{part['agent_version']}",
            "abstains" if part.get("abstained") else f"{part['log_odds']:+.3f}",
            number(part["weight"], 3),
            number(part["evidence"]),
            coloured(part["share"], f"{part['share']:+.4f}"),
            f"{part.get('signals', 0):,}",
            escape(str(because)),
        )
    head = f"\n[bold]{score['asset']}[/bold]  {escape(score.get('explanation', ''))}"
    return Group(
        head,
        table,
        *_strongest(score["contributions"]),
        _spread(score["concentration"]),
        f"[dim]{escape(score['score_id'])}[/dim]",
    )


def _strongest(contributions: Sequence[Document]) -> list[Text]:
    """The signals that moved the score most, each on a line of its own so that its id can be copied."""
    ids = [signal for part in contributions for signal in part.get("signal_ids", [])[:3]]
    return [Text(f"signal {signal}", style="dim", no_wrap=True, overflow="ignore") for signal in ids]


def _spread(spread: Document) -> str:
    return _alarm(spread) + (
        f"[dim]{spread['items']:,} items of {spread['authors']:,} authors; the loudest author has "
        f"{percent(spread['top_author_share'], 0)}, the largest repost cluster "
        f"{percent(spread['top_cluster_share'], 0)}, "
        f"young accounts {percent(spread['young_author_share'], 0)}[/dim]"
    )


def _alarm(spread: Document) -> str:
    """A line about what young accounts did together, where it is more than one of them."""
    text, burst = spread.get("repeated_text"), spread.get("burst")
    if text and text["accounts"] * text["young_share"] >= WORTH_TELLING:
        told = (
            f"about {text['accounts']:,} accounts, {percent(text['young_share'], 0)} of them young or hardly "
            f"followed, repeated one text within {text['hours']:.1f} hours: {escape(text['item_id'])}"
        )
    elif burst and burst["young_accounts"] >= WORTH_TELLING:
        told = (
            f"{burst['young_accounts']:,} young or hardly followed accounts spoke up within six hours, "
            f"{percent(burst['young_share'], 0)} of what was said then"
        )
    else:
        return ""
    return f"[yellow]{told}[/yellow]\n"


def proposals_shown(answer: Document) -> list[RenderableType]:
    """What `POST /propose` made, and why there is none for the others."""
    shown = [part for proposal in answer["proposals"] for part in proposal_shown(proposal)]
    without = answer.get("without", [])
    if without:
        shown.append(_without_table(without))
    return shown or ["Nothing to propose: no asset is tracked."]


def _without_table(without: Sequence[Document]) -> Table:
    """Why there is no proposal; of many assets of which there is just nothing to say, their number."""
    table = Table("asset", "why not", "in words", title="Without a proposal", title_justify="left")
    quiet = Counter(told["code"] for told in without if told["code"] in _QUIET)
    gathered = {code for code, count in quiet.items() if count > MOST_QUIET}
    for told in without:
        if told["code"] not in gathered:
            table.add_row(told["asset"], told["code"], escape(told["reason"]))
    for code in sorted(gathered):
        some = [told for told in without if told["code"] == code]
        named = ", ".join(told["asset"] for told in some)
        table.add_row(f"{len(some)} assets", code, f"{_QUIET[code]}: [dim]{escape(named)}[/dim]")
    return table


def proposal_shown(proposal: Document) -> list[RenderableType]:
    """One proposal: the order, every step of its sizing, every check. The summary's short form has less."""
    style = _STATUSES.get(proposal["status"], "")
    head = (
        f"\n[bold]{proposal['side'].upper()} {proposal['quantity']:,g} {proposal['asset']}[/bold] "
        f"at {number(proposal['limit_price'])} or better = {number(proposal['notional'])}, "
        f"costs about {number(proposal.get('expected_cost'))}  "
        f"[{style or 'default'}]{proposal['status']}[/]"
    )
    facts: RenderableType = (
        f"[dim]proposal {proposal['proposal_id']} for {escape(proposal['portfolio'])}, proposed by "
        f"{escape(proposal['proposed_by'])}, expires {proposal['expires_at']}\n"
        f"content {proposal['content_hash']}[/dim]"
    )
    sizing = Table("sizing step", "of equity", "in words", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for step in proposal.get("sizing", []):
        sizing.add_row(step["step"], percent(step["value"], 2), escape(step["detail"]))
    shown: list[RenderableType] = [head, facts]
    if sizing.row_count:
        shown.append(sizing)
    return [*shown, *(risk_shown(proposal["risk"]) if isinstance(proposal.get("risk"), dict) else [])]


def risk_shown(result: Document) -> list[RenderableType]:
    """A risk result: each check's limit against what was observed."""
    style = _VERDICTS.get(result["verdict"], "")
    clamped = (
        f", {result['allowed_quantity']:,g} allowed"
        if result["allowed_quantity"] != result["quantity"]
        else ""
    )
    head = (
        f"[{style}]{result['verdict'].upper()}[/] {result['side']} {result['quantity']:,g} {result['asset']}"
        f"{clamped}; the desk is {result['state']}"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("check", "outcome", "observed", "limit", "unit", "in words"):
        table.add_column(name, justify="right" if name in {"observed", "limit"} else "left")
    for check in result["checks"]:
        outcome = Text(check["outcome"], style=_VERDICTS.get(check["outcome"], ""))
        # What a check that passes did not observe was not there; what stopped a check was not known.
        absent = "none" if check["outcome"] == "pass" else "unknown"
        observed = absent if check["observed"] is None else _figure(check["observed"], check["unit"])
        limit = "–" if check["limit"] is None else _figure(check["limit"], check["unit"])
        table.add_row(check["code"], outcome, observed, limit, check["unit"], escape(check["detail"]))
    return [head, table]


def _figure(value: float, unit: str) -> str:
    if unit.startswith(("of ", "share ")):
        return f"{value:.3%}" if 0 < abs(value) < 0.001 else f"{value:.2%}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def decision_shown(answer: Document) -> list[RenderableType]:
    """What became of a proposal."""
    decision = answer["decision"]
    style = _STATUSES.get(decision["status"], "default")
    approvals = decision.get("approvals") or []
    more = f" ({len(approvals)} approval(s) so far)" if decision["status"] == "pending" else ""
    return [
        f"[{style}]{decision['status']}[/]{more}: {decision['action']} of {decision['proposal_id']} "
        f"as revision {decision['revision']}, by {escape(decision['decided_by'])}",
    ]
