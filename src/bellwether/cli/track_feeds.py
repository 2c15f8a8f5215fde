"""`bellwether track feed`: feeds by address, by the page that names them, or from the suggestions."""

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from bellwether.cli import track_entities
from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption
from bellwether.cli.suggested_feeds import LOOKED_UP, SUGGESTED, WORKS, Suggestion, of_country
from bellwether.cli.track_entities import escaped
from bellwether.domain.entities import Feed

if TYPE_CHECKING:
    from bellwether.adapters.providers.feed_discovery import Look
    from bellwether.adapters.providers.guarded_http import GuardedHttp

feed = typer.Typer(help="RSS and Atom feeds read every five minutes.", no_args_is_help=True)


@feed.command(
    "add",
    epilog=examples(
        "bellwether track feed add https://example.org/markets.xml",
        "bellwether track feed add https://example.org/",
        "bellwether track feed add --suggested sec-press --suggested fed-press",
    ),
)
def add_feed(
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="A feed, or a page that names its feed.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    suggested: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="One of the suggestions; may be given several times."),
    ] = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Do not look at what is there first.")
    ] = False,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Read a feed from now on.

    The address is looked at first. A page that names one feed is as good as the feed; of several one has to
    be chosen. What cannot be reached from here is tracked all the same: the desk may reach it.
    """
    if (url is None) == (not suggested):
        raise WrongUse("give an address or --suggested NAME", hint="bellwether track feed suggest")
    if suggested:
        _add_suggested([_suggestion(name) for name in suggested], stage, json=json)
        return
    told = str(url).strip()
    track_entities.record_of({"url": told}, Feed, told)
    found = None if unchecked else _look(told)
    chosen, name = (told, title) if found is None else _chosen(told, title, found)
    _add([Feed(url=chosen, title=name)], stage, json=json, found=found)


@feed.command(
    "suggest",
    epilog=examples("bellwether track feed suggest", "bellwether track feed suggest --country CH --json"),
)
def suggest(
    country: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only those of US, EU, GB, CH, INT, JP or AU.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List public feeds of authorities, central banks and exchanges. None is read before it is added."""
    rows = of_country(country)
    if not rows:
        known = ", ".join(dict.fromkeys(row.country for row in SUGGESTED.values()))
        raise WrongUse(f"there is no suggestion for {country}", hint=f"countries: {known}")
    Output(json=json).answer(
        {"suggestions": msgspec.to_builtins(rows), "looked_up": LOOKED_UP},
        _table(rows),
        f"Addresses were looked up in {LOOKED_UP} and not tried; of those with [bold]?[/bold] nobody was "
        "found who reports that they work.\nAdd one with: bellwether track feed add --suggested NAME",
    )


@feed.command("remove", epilog=examples("bellwether track feed remove https://example.org/markets.xml"))
def remove_feed(
    url: Annotated[str, typer.Argument(metavar="URL", help="Its address, or the name of a suggestion.")],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Stop reading a feed."""
    told = SUGGESTED[url].url if url in SUGGESTED else url
    track_entities.remove("feed", feed_id(told), told, stage, json=json)


def feed_id(url: str) -> str:
    """The id of a feed: addresses may be longer than a table's key."""
    return hashlib.sha256(url.encode()).hexdigest()[:32]


def http() -> "GuardedHttp":
    """What addresses are looked at with."""
    from bellwether.adapters.providers.guarded_http import GuardedHttp

    return GuardedHttp()


def _look(url: str) -> "Look":
    from bellwether.adapters.providers.feed_discovery import look

    return look(http(), url)


def _chosen(url: str, title: str | None, found: "Look") -> tuple[str, str | None]:
    """The feed's address and what to call it. Raises `Failure` when there is none or a choice to make."""
    if found.found == "nothing":
        raise Failure(
            f"{url} is no feed and names none ({found.detail})",
            title="There is no feed",
            hint="--unchecked tracks it all the same",
        )
    if len(found.feeds) > 1:
        lines = "\n".join(f"  {one.url}  {one.title or ''}".rstrip() for one in found.feeds)
        fault = Failure(
            f"{url} names {len(found.feeds)} feeds; add one of them:\n{lines}", title="Which one?"
        )
        fault.members["feeds"] = msgspec.to_builtins(found.feeds)
        raise fault
    if found.feeds:
        return found.feeds[0].url, title or found.feeds[0].title
    return url, title or (found.title[:200] if found.title else None)


def _suggestion(name: str) -> Suggestion:
    if name not in SUGGESTED:
        raise WrongUse(f"there is no suggestion {name}", hint="bellwether track feed suggest")
    return SUGGESTED[name]


def _add_suggested(rows: list[Suggestion], stage: str, *, json: bool) -> None:
    feeds = [Feed(url=row.url, title=row.title) for row in dict.fromkeys(rows)]
    _add(feeds, stage, json=json, found=None)
    for note in dict.fromkeys(row.note for row in rows if row.note):
        Output(json=json).note(escaped(note))


def _add(feeds: list[Feed], stage: str, *, json: bool, found: "Look | None") -> None:
    from bellwether.cli import owner

    with owner.owner_changes(stage) as ports:
        for one in feeds:
            ports.entities.put("feed", feed_id(one.url), one)
    document: dict[str, Any] = {"feed": msgspec.to_builtins(feeds[0])}
    if len(feeds) > 1:
        document = {"feeds": msgspec.to_builtins(feeds)}
    if found is not None:
        document["found"] = msgspec.to_builtins(found)
    output = Output(json=json)
    if found is not None and found.found == "unknown":
        output.note(f"It could not be looked at from here: {escaped(str(found.detail))} ({found.code}).")
    shown = (f"{escaped(one.title)}, {escaped(one.url)}" if one.title else escaped(one.url) for one in feeds)
    output.answer(document, *(f"Tracking feed [bold]{line}[/bold]." for line in shown))


def _table(rows: list[Suggestion]) -> Any:
    from rich.table import Table

    table = Table("name", "", "what it brings", "terms", title="Suggested feeds", title_justify="left")
    for row in rows:
        mark = "" if row.seen == WORKS else " [bold]?[/bold]"
        brings = f"[bold]{escaped(row.title)}[/bold]: {escaped(row.brings)}\n{escaped(row.url)}"
        brings += f"\n[dim]{escaped(row.note)}[/dim]" if row.note else ""
        table.add_row(f"{row.name}{mark}", row.country, brings, escaped(row.terms))
    return table
