"""`bellwether recovery`: is what is kept for the worst day any good?"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from bellwether.cli.failures import Refused
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption, find_stage

recovery = typer.Typer(help="Backups, put to the test.", no_args_is_help=True)

MAY_LOSE = ("local", "staging")


@recovery.callback()
def group() -> None:
    """Backups, put to the test."""


@recovery.command(epilog=examples("bellwether recovery drill", "bellwether recovery drill --lose --yes"))
def drill(
    lose: Annotated[
        bool, typer.Option("--lose", help="Really delete the tables and objects first; never in production.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Restore the tables from their backups and prove them against the ledger; tells how long it took.

    Without --lose the newest backups are restored beside the real tables and dropped again: nothing is
    changed, in any stage. With --lose a fresh backup is taken, then tables, ledger entries and prices are
    deleted and brought back; do that while nobody works. Exit code 1 when something did not come back.
    """
    from bellwether.adapters.aws.restores import TableRestores
    from bellwether.cli import owner
    from bellwether.cli.infrastructure import ask
    from bellwether.cli.recovery_drill import Drill, shown_of

    output = Output(json=json)
    if lose and stage not in MAY_LOSE:
        raise Refused(
            f"Stage {stage} keeps its data: nothing of it is deleted for a drill.",
            hint=f"bellwether recovery drill --stage {stage}",
        )
    desk = find_stage(stage)
    if lose and not yes:
        ask(f"Delete tables, ledger and prices of stage {stage}, to bring them back?", hint="add --yes")
    with owner.owner_changes(stage):
        restores = TableRestores(owner.owner_client(desk, "dynamodb"))
        report = Drill(desk, restores, now=datetime.now(UTC), lose=lose)()
    output.answer({"stage": stage, **report.document()}, *shown_of(report))
    if not report.sound:
        raise typer.Exit(1)
