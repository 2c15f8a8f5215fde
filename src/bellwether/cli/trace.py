"""`bellwether trace`: from an outcome, a decision, a proposal, a score or a signal back to the posts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.people import finder, names_of, people_in, with_names
from bellwether.cli.stage import StageOption

if TYPE_CHECKING:
    from rich.tree import Tree

    from bellwether.usecases.trace import TraceNode

_STYLES = {"outcome": "magenta", "decision": "cyan", "proposal": "bold", "score": "green", "item": "yellow"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=examples("bellwether trace 01J9Z3V7M8Q4T6W2R5Y0XKBCDE"))(trace)


def trace(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="Of an outcome, decision, proposal, score, signal.")
    ],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Walk anything the desk made back to its posts.

    Reads the tables and the lake with the owner's credentials. Every signal's hash is compared with the
    item it was made from; a record that no longer fits is marked. A reading of words names those that drove
    it, each with the log-odds it adds. People are shown by name and id, while the user pool knows them.
    """
    from bellwether.agents.reasons import Reasons
    from bellwether.agents.text import SentimentModel
    from bellwether.cli import owner
    from bellwether.usecases.trace import Trace

    with owner.owner_ports(stage) as ports:
        walk = Trace(
            outcomes=ports.outcomes,
            proposals=ports.proposals,
            forecasts=ports.forecasts,
            signals=ports.signals,
            claims=ports.claims,
            raw=ports.raw,
            reasons=Reasons.of_assets(ports.entities.assets(), SentimentModel.load()),
        )
        root = walk(id_, now=datetime.now(UTC))
    names = names_of(people_in(titles(root)), finder(stage))
    Output(json=json).answer({**msgspec.to_builtins(root), "people": names}, tree_of(root, names))


def titles(node: "TraceNode") -> Iterator[str]:
    """What the nodes of a tree say, from the root on."""
    yield node.title
    for child in node.children:
        yield from titles(child)


def tree_of(root: "TraceNode", names: dict[str, str]) -> "Tree":
    """The tree for a terminal, people by the names given."""
    from rich.markup import escape
    from rich.tree import Tree

    marked = {sub: escape(name) for sub, name in names.items()}
    tree = Tree(with_names(label(root), marked))
    _grow(tree, root, marked)
    return tree


def _grow(tree: "Tree", node: "TraceNode", names: dict[str, str]) -> None:
    for child in node.children:
        _grow(tree.add(with_names(label(child), names)), child, names)
    if node.left_out:
        tree.add(f"[dim]… {node.left_out:,} further signals[/dim]")


def label(node: "TraceNode") -> str:
    """Kind, id, when and what, in one paragraph; a link that does not fit is marked."""
    from rich.markup import escape

    mark = " [bold red]does not fit its hash[/bold red]" if node.intact is False else ""
    mark += " [red]not found[/red]" if node.missing else ""
    at = f" [dim]{node.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z[/dim]" if node.at else ""
    style = _STYLES.get(node.kind, "default")
    title = " ".join(node.title.split())
    shown = escape(title) if title != node.id else ""
    return f"[{style}]{node.kind}[/] {escape(node.id)}{at}{mark} {shown}".rstrip()
