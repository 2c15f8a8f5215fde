"""`bellwether login` and `logout`."""

import sys
from typing import Annotated, Any

import typer

from bellwether.cli.connect import local_credentials, login_command, sessions_of
from bellwether.cli.failures import Refused, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.sessions import Session
from bellwether.cli.stage import Stage, StageOption, find_stage
from bellwether.domain.rights import GROUPS


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(
        epilog=examples(
            "bellwether login --as analyst",
            "bellwether login --stage production --user maria",
            "bellwether login --stage production --user maria --forgot-password",
            "TOKEN=$(bellwether login --as viewer --show-token)",
        )
    )(login)
    app.command(epilog=examples("bellwether logout --as approver", "bellwether logout"))(logout)


def login(
    role: Annotated[
        str | None,
        typer.Option("--as", metavar="ROLE", help=f"A user of the local desk: {', '.join(GROUPS)}."),
    ] = None,
    stage: StageOption = "local",
    user: Annotated[str | None, typer.Option(help="User name of a deployed stage; asked if missing.")] = None,
    show_token: Annotated[bool, typer.Option("--show-token", help="Print the access token.")] = False,
    forgot_password: Annotated[
        bool,
        typer.Option("--forgot-password", help="Set a new password first, with a code sent by mail."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Log in; commands act as the last login until it ends.

    On the local desk the first users' passwords are in the desk's own folder, so nothing has to be typed. For
    a deployed stage the user name, the password and a one-time code are asked for; the password is proved and
    never sent. Tokens are kept in a file only you can read and renew themselves.
    """
    from bellwether.cli.sign_in import UserPool

    output = Output(json=json)
    desk = find_stage(stage)
    pool = UserPool(desk)
    if forgot_password:
        username = user or ask("User name", False)
        name, password = role or username, pool.replace_forgotten(username, ask)
    else:
        name, username, password = credentials_for(desk, role, user)
    session = pool.sign_in(name, username, password, ask)
    sessions_of(desk).keep(session, current=True)
    shown: list[Any] = [session.token] if show_token else [f"Logged in as [bold]{session.username}[/bold]."]
    if show_token and not json:
        sys.stdout.write(session.token + "\n")
        return
    output.answer(document_of(desk, session, show_token=show_token), *shown)


def document_of(stage: Stage, session: Session, *, show_token: bool) -> dict[str, Any]:
    """What `login --json` tells; the token only when it is asked for."""
    told: dict[str, Any] = {
        "stage": stage.name,
        "as": session.name,
        "username": session.username,
        "expires_at": session.expires_at,
    }
    return {**told, "token": session.token} if show_token else told


def credentials_for(stage: Stage, role: str | None, user: str | None) -> tuple[str, str, str]:
    """Name of the login, user name, password: read from the local desk or asked for."""
    if stage.is_local and user is None:
        if role is None:
            raise WrongUse(f"Say who: --as {' | '.join(GROUPS)}.", hint=login_command(stage))
        known = local_credentials(role)
        if known is None:
            raise Refused(
                f"The local desk has no user {role}; its first users are {', '.join(GROUPS)}.",
                title="Could not log in",
                hint=login_command(stage),
            )
        return (role, *known)
    username = user or ask("User name", False)
    return role or username, username, ask("Password", True)


def ask(what: str, hidden: bool) -> str:
    """Asks on the terminal (on stderr, so that stdout stays clean). Raises `WrongUse` without a terminal."""
    if not sys.stdin.isatty():
        raise WrongUse(f"There is no terminal to ask for: {what}.", title="Cannot ask")
    return str(typer.prompt(what, hide_input=hidden, err=True))


def logout(
    role: Annotated[
        str | None,
        typer.Option("--as", metavar="ROLE", help="Only this login; all of the stage's if missing."),
    ] = None,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Forget logins, and end them at the user pool.

    Tokens that are out already stop within half a minute.
    """
    from bellwether.cli.failures import Failure
    from bellwether.cli.sign_in import UserPool

    output = Output(json=json)
    desk = find_stage(stage)
    book = sessions_of(desk)
    ended = [session for name, session in book.read().sessions.items() if role in {None, name}]
    gone = book.forget(role)
    try:
        pool = UserPool(desk)
        for session in ended:
            pool.revoke(session)
    except Failure as fault:
        output.note(f"The user pool was not told: {fault.detail}")
    output.answer(
        {"stage": desk.name, "logged_out": gone}, f"Logged out: {', '.join(gone) or 'nobody was in'}."
    )
