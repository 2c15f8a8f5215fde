"""`bellwether lake`: what is done with the lake as a whole."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bellwether.cli.failures import Refused, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption, find_stage

if TYPE_CHECKING:
    from bellwether.domain.scores import Score
    from bellwether.usecases.ports import Forecasts

lake = typer.Typer(help="The object store as a whole.", no_args_is_help=True)


@lake.callback()
def group() -> None:
    """The object store as a whole."""


@lake.command(epilog=examples("bellwether lake series --from 2026-11-01 --to 2026-11-30 --stage production"))
def series(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Copy kept scores into the time-series store, where a stage has one (off by default).

    Doing it again changes nothing. Without that store the same scores are queried where they lie, with
    Athena.
    """
    from bellwether.adapters.aws.time_series import ScoreSeries
    from bellwether.cli.owner import owner_client, owner_ports

    if first > last:
        raise WrongUse(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}")
    desk = find_stage(stage)
    database = desk.outputs.get("timeseriesdatabase")
    if database is None:
        raise Refused(
            f"Stage {stage} keeps no time series; its scores are queried with Athena.",
            hint="docs/decisions/lake-as-tables.md says how to switch one on",
        )
    there = replace(desk, region=desk.output("TimeSeriesRegion"))
    with owner_ports(stage) as ports:
        store = ScoreSeries(owner_client(there, "timestream-write"), database)
        end = last.replace(hour=23, minute=59, second=59, microsecond=999_999, tzinfo=UTC)
        written = store.write(_kept(ports.forecasts, first.replace(tzinfo=UTC), end))
    Output(json=json).answer({"stage": stage, "written": written}, f"{written:,} scores written.")


def _kept(forecasts: "Forecasts", first: datetime, last: datetime) -> "Iterator[Score]":
    import msgspec

    from bellwether.domain.scores import Score

    decoder = msgspec.json.Decoder(Score)
    return (decoder.decode(line) for line in forecasts.between(first, last))
