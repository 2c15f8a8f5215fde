"""The command line as a whole: help, exit codes, one JSON document, a start that loads little."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from bellwether.cli.failures import Failure, NotRunning, Refused, exit_code_of
from bellwether.cli.main import Commands, app, explain
from bellwether.cli.output import wants_json
from bellwether.desk.errors import RefusedError
from bellwether.domain.problems import Conflict, InvalidInput, NotFound, Unavailable
from tests.unit.cli.conftest import Done

Typed = Callable[..., Done]
SLOW = ("boto3", "botocore", "httpx", "pyarrow", "rich", "feedparser", "aws_cdk", "numpy")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(typer.main.get_command(app)))


def test_every_command_of_the_contract_is_there() -> None:
    wanted = {
        *[("up",), ("down",), ("status",), ("reset",), ("logs",), ("login",), ("logout",), ("ingest",)],
        *[("track", name) for name in ("add", "import", "list", "remove")],
        *[("portfolio", name) for name in ("set", "position", "list", "show")],
        *[
            ("score",),
            ("propose",),
            ("risk",),
            ("decide",),
            ("evaluate",),
            ("trace",),
            ("recover",),
            ("smoke",),
        ],
        *[("prices", "fetch"), ("track", "query", "add"), ("track", "query", "remove")],
        *[("prices", "import"), ("ledger", "verify"), ("queue", "redrive"), ("label",), ("link",)],
    }
    assert wanted <= set(ALL)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_an_example_and_json(typed: Typed, path: tuple[str, ...]) -> None:
    done = typed(*path, "--help")
    assert done.code == 0
    assert f"bellwether {' '.join(path)}" in done.out
    assert "Example" in done.out
    assert "--json" in done.out


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["score", "--bogus"], ["track", "add"], ["decide", "x"]]
)
def test_wrong_use_is_2_and_one_document_if_asked_for(typed: Typed, arguments: list[str]) -> None:
    assert typed(*arguments).code == 2
    done = typed(*arguments, "--json")
    assert done.code == 2
    assert done.document["error"]["exit_code"] == 2
    assert done.err


@pytest.mark.parametrize(
    "arguments", [["score"], ["track", "list"], ["ledger", "verify"], ["smoke"], ["login", "--as", "analyst"]]
)
def test_without_a_desk_it_is_3_and_says_how_to_start_one(typed: Typed, arguments: list[str]) -> None:
    done = typed(*arguments, "--json")
    assert done.code == 3
    assert done.document["error"]["hint"] == "bellwether up"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Failure("x"), 1),
        (NotRunning("x"), 3),
        (Refused("x"), 4),
        (InvalidInput("x"), 2),
        (NotFound("x"), 1),
        (Conflict("x"), 4),
        (Unavailable("x"), 3),
        (RefusedError("x"), 4),
        (KeyboardInterrupt(), 130),
        (typer.Abort(), 130),
    ],
)
def test_each_fault_has_its_exit_code(fault: BaseException, code: int) -> None:
    assert explain(fault, json=False) == code


def test_what_nobody_foresaw_says_where_and_is_one_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(ZeroDivisionError("by nothing"), json=True) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["detail"] == "ZeroDivisionError: by nothing"
    assert "ZeroDivisionError: by nothing" in told.err


def test_an_interrupted_command_ends_with_130() -> None:
    interrupted = typer.Typer(cls=Commands)

    @interrupted.callback()
    def group() -> None:
        pass

    @interrupted.command()
    def wait() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        interrupted(["wait"])
    assert ended.value.code == 130


def test_statuses_become_exit_codes() -> None:
    codes = {status: exit_code_of(status) for status in (400, 401, 403, 404, 409, 500, 503)}
    assert codes == {400: 2, 401: 4, 403: 4, 404: 1, 409: 4, 500: 1, 503: 3}


def test_json_behind_a_separator_is_an_argument() -> None:
    assert wants_json(["score", "--json"])
    assert not wants_json(["score", "--", "--json"])


def test_the_command_line_starts_without_what_is_slow_to_load() -> None:
    code = (
        "import sys, json; import bellwether.cli.main; "
        f"print(json.dumps([name for name in {SLOW!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == []
