"""People by name where something is shown, and by id alone where nobody knows them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from bellwether.cli import owner, people
from bellwether.cli.failures import NotRunning
from bellwether.cli.people import display_name, finder, names_of, people_in, with_names
from bellwether.cli.stage import Stage

MARIA = "5e6f1a2b-0000-4000-8000-000000000001"
JON = "5e6f1a2b-0000-4000-8000-000000000002"
STAGE = Stage(name="staging", api_url="", region="eu-central-2", outputs={"userpoolid": "pool"})


def test_those_who_did_something_are_found_once_and_other_ids_are_not_people() -> None:
    texts = [f"approve by {MARIA}: seen {JON}", f"for core, proposed by {JON}", f"revoke by {MARIA}: no"]
    assert people_in(texts) == [MARIA, JON]
    assert people_in(["by machine:collector", f"batch {MARIA}"]) == []


def test_a_name_stands_before_its_id_and_never_instead_of_it() -> None:
    names = names_of([MARIA, JON], {MARIA: "Maria Meier"}.get)
    assert names == {MARIA: "Maria Meier"}
    assert with_names(f"approve by {MARIA}: ok", names) == f"approve by Maria Meier ({MARIA}): ok"
    assert with_names(f"approve by {JON}: ok", names) == f"approve by {JON}: ok"


class Idp:
    """A user pool that knows Maria, or refuses."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses

    def list_users(self, *, UserPoolId: str, Filter: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListUsers")
        assert (UserPoolId, Limit) == ("pool", 1)
        attributes = [{"Name": "name", "Value": " Maria \n Meier"}]
        known = Filter == f'sub = "{MARIA}"'
        return {"Users": [{"Username": "maria", "Attributes": attributes}] if known else []}


@pytest.mark.parametrize("refuses", [False, True])
def test_who_is_gone_or_may_not_be_listed_is_shown_by_id(
    monkeypatch: pytest.MonkeyPatch, refuses: bool
) -> None:
    monkeypatch.setattr(owner, "owner_client", lambda *_: Idp(refuses))
    monkeypatch.setattr(people, "find_stage", lambda _name: STAGE)
    find = finder("staging")
    assert find(MARIA) == (None if refuses else "Maria Meier")
    assert find(JON) is None


def test_without_a_desk_to_ask_ids_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_name: str) -> Stage:
        raise NotRunning("There is no desk.")

    monkeypatch.setattr(people, "find_stage", down)
    assert finder("local")(MARIA) is None


def test_without_a_name_the_user_name_is_shown() -> None:
    assert display_name({"Username": "maria", "Attributes": []}) == "maria"
