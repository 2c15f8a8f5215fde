"""`bellwether users`: who may log in, and with which roles (an administrator's commands)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import Stage, StageOption, find_stage
from bellwether.domain.rights import GROUPS, RIGHTS

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

users = typer.Typer(help="Who may log in, and with which roles.", no_args_is_help=True)

UserName = Annotated[str, typer.Argument(help="The user's name in the user pool.")]
RoleName = Annotated[str, typer.Argument(help=f"One of {', '.join(GROUPS)}.")]


class Pool:
    """The user pool as its owner sees it."""

    def __init__(self, stage: Stage) -> None:
        from bellwether.cli.owner import owner_client

        self.id = stage.output("UserPoolId", "UserPool")
        self.idp: CognitoIdentityProviderClient = owner_client(stage, "cognito-idp")


@contextmanager
def pool_of(stage_name: str) -> Iterator[Pool]:
    """The pool of a stage; AWS errors inside become failures, what was changed survives a kill."""
    from botocore.exceptions import BotoCoreError, ClientError

    from bellwether.cli.owner import aws_failure, keep

    stage = find_stage(stage_name)
    try:
        yield Pool(stage)
        keep(stage_name)
    except ClientError as fault:
        code = fault.response.get("Error", {}).get("Code", "")
        if code == "UserNotFoundException":
            raise Failure("There is no such user.", hint="bellwether users list") from None
        if code == "UsernameExistsException":
            raise WrongUse("There is a user of that name already.") from None
        raise aws_failure(fault, stage) from None
    except BotoCoreError as fault:
        raise aws_failure(fault, stage) from None


def known_role(role: str) -> str:
    """The role, if it is one. Raises `WrongUse`."""
    if role not in GROUPS:
        raise WrongUse(f"{role} is no role; the roles are {', '.join(GROUPS)}.")
    return role


@users.command("list", epilog=examples("bellwether users list"))
def list_users(stage: StageOption = "local", json: JsonOption = False) -> None:
    """List users and their roles."""
    from rich.table import Table

    found: list[dict[str, Any]] = []
    with pool_of(stage) as pool:
        for page in pool.idp.get_paginator("list_users").paginate(UserPoolId=pool.id):
            for user in page["Users"]:
                name = user["Username"]
                groups = pool.idp.admin_list_groups_for_user(UserPoolId=pool.id, Username=name)["Groups"]
                found.append(
                    {
                        "username": name,
                        "roles": sorted(group["GroupName"] for group in groups),
                        "enabled": user.get("Enabled", True),
                        "status": user.get("UserStatus"),
                    }
                )
    table = Table("user", "roles", "state", title="Users")
    for entry in found:
        state = entry["status"] if entry["enabled"] else "disabled"
        table.add_row(entry["username"], ", ".join(entry["roles"]) or "-", str(state or "-"))
    Output(json=json).answer({"users": found}, table)


@users.command("add", epilog=examples("bellwether users add maria --role approver --email maria@example.org"))
def add_user(
    name: UserName,
    role: Annotated[str, typer.Option(help=f"One of {', '.join(GROUPS)}.")] = "viewer",
    email: Annotated[
        str | None, typer.Option(help="Where the invitation goes; none is sent without.")
    ] = None,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Create a user with one role. The first password is sent to the address, or without one printed here."""
    import secrets

    known_role(role)
    password = None if email else f"Aa1!{secrets.token_urlsafe(18)}"
    with pool_of(stage) as pool:
        request: dict[str, Any] = {"UserPoolId": pool.id, "Username": name}
        if email:
            attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
            request |= {"UserAttributes": attributes, "DesiredDeliveryMediums": ["EMAIL"]}
        else:
            request |= {"MessageAction": "SUPPRESS", "TemporaryPassword": password}
        pool.idp.admin_create_user(**request)
        pool.idp.admin_add_user_to_group(UserPoolId=pool.id, Username=name, GroupName=role)
    told = {"username": name, "roles": [role], "temporary_password": password}
    first = f" The first password, to be changed at the first login: {password}" if password else ""
    Output(json=json).answer(told, f"Created [bold]{name}[/bold] as {role}.{first}")


@users.command("add-role", epilog=examples("bellwether users add-role maria approver"))
def add_role(name: UserName, role: RoleName, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Give a user a role. It counts from the user's next token on."""
    known_role(role)
    with pool_of(stage) as pool:
        pool.idp.admin_add_user_to_group(UserPoolId=pool.id, Username=name, GroupName=role)
    rights = ", ".join(sorted(RIGHTS[role]))  # type: ignore[index]
    told = {"username": name, "added": role}
    Output(json=json).answer(told, f"{name} is {role} from the next login on and may {rights}.")


@users.command("remove-role", epilog=examples("bellwether users remove-role maria approver"))
def remove_role(
    name: UserName, role: RoleName, stage: StageOption = "local", json: JsonOption = False
) -> None:
    """Take a role away and end the user's logins, so that it counts at once for new tokens."""
    known_role(role)
    with pool_of(stage) as pool:
        pool.idp.admin_remove_user_from_group(UserPoolId=pool.id, Username=name, GroupName=role)
        pool.idp.admin_user_global_sign_out(UserPoolId=pool.id, Username=name)
    Output(json=json).answer({"username": name, "removed": role}, f"{name} is no longer {role}.")
