"""Operations: `queue`, `recover`, `smoke`."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from bellwether.cli.failures import ApiProblem, Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import Stage, StageOption, find_stage

if TYPE_CHECKING:
    from bellwether.cli.api import Api
    from bellwether.usecases.recover import Recovered

queue = typer.Typer(help="Queues and what they gave up on.", no_args_is_help=True)

RECOVERED = timedelta(days=14)
"""How far back recovery looks by default: as long as the ingest queue keeps a message."""
_EMPTY_READS = 2
_AT_ONCE = 10


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog=examples("bellwether recover", "bellwether recover --since 2026-11-01"))(recover)
    app.command(epilog=examples("bellwether smoke", "bellwether smoke --stage staging"))(smoke)


def queues_of(stage: Stage) -> dict[str, tuple[str, str]]:
    """Queues with a dead-letter queue, by name: (URL of the queue, URL of its dead-letter queue)."""
    found = {}
    for name, url in stage.outputs.items():
        if name.endswith("dlqurl"):
            base = name.removesuffix("dlqurl").removesuffix("queue")
            target = stage.outputs.get(f"{base}queueurl")
            if target:
                found[base] = (target, url)
    return dict(sorted(found.items()))


@queue.command("list", epilog=examples("bellwether queue list"))
def list_queues(stage: StageOption = "local", json: JsonOption = False) -> None:
    """How many messages wait, and how many were given up."""
    from rich.table import Table

    from bellwether.cli.owner import owner_client

    desk = find_stage(stage)
    sqs = owner_client(desk, "sqs")
    told = [
        {"name": name, "waiting": depth(sqs, url), "given_up": depth(sqs, dead)}
        for name, (url, dead) in queues_of(desk).items()
    ]
    table = Table("queue", "waiting", "given up")
    for one in told:
        table.add_row(str(one["name"]), f"{one['waiting']:,}", f"{one['given_up']:,}")
    Output(json=json).answer({"queues": told}, table)


def depth(sqs: Any, url: str) -> int:
    """Visible and in-flight messages of a queue, approximately."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})
    return sum(int(attributes.get(name, 0)) for name in names)


@queue.command(epilog=examples("bellwether queue redrive ingest"))
def redrive(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as ingest or decisions.")],
    most: Annotated[int, typer.Option(min=1, help="At most so many messages.")] = 100_000,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Give the messages a queue gave up on another try: from its dead-letter queue back to it.

    Each message is deleted there only after it was sent again, so an interruption loses none; a message that
    is sent twice is recognised by the worker.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from bellwether.cli.owner import aws_failure, owner_client
    from bellwether.cli.progress import progress

    output = Output(json=json)
    desk = find_stage(stage)
    known = queues_of(desk)
    base = name.lower().removesuffix("queue").removesuffix("-")
    if base not in known:
        raise WrongUse(f"There is no queue {name}; the queues are {', '.join(known) or 'not told'}.")
    url, dead = known[base]
    sqs = owner_client(desk, "sqs")
    moved = 0
    try:
        found = depth(sqs, dead)
        with progress(output.err, f"Redriving {base}", "messages", found) as shown:
            for count in move(sqs, dead, url, most=min(most, found)):
                moved += count
                shown.advance(count)
        left = depth(sqs, dead)
    except (ClientError, BotoCoreError) as fault:
        raise aws_failure(fault, desk) from None
    document = {"queue": base, "found": found, "moved": moved, "left": left}
    output.answer(
        document, f"[bold]{moved:,}[/bold] of {found:,} messages are back in {base}; {left:,} left."
    )


def move(sqs: Any, source: str, target: str, *, most: int) -> Iterator[int]:
    """Moves up to `most` messages, yielding how many at a time. Order within a FIFO group is kept."""
    fifo = target.endswith(".fifo")
    empty = moved = 0
    while empty < _EMPTY_READS and moved < most:
        messages = sqs.receive_message(
            QueueUrl=source,
            MaxNumberOfMessages=min(_AT_ONCE, most - moved),
            WaitTimeSeconds=1,
            VisibilityTimeout=60,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        empty = 0 if messages else empty + 1
        for message in messages:
            sqs.send_message(QueueUrl=target, **_again(message, fifo=fifo))
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        moved += len(messages)
        if messages:
            yield len(messages)


def _again(message: dict[str, Any], *, fifo: bool) -> dict[str, Any]:
    """What to send so that the message is the same. A FIFO message needs an id of its own to get through."""
    request: dict[str, Any] = {"MessageBody": message["Body"]}
    if message.get("MessageAttributes"):
        request["MessageAttributes"] = message["MessageAttributes"]
    if fifo:
        attributes = message.get("Attributes", {})
        request["MessageGroupId"] = attributes.get("MessageGroupId", "redrive")
        request["MessageDeduplicationId"] = f"redrive-{message['MessageId']}"
    return request


def recover(
    since: Annotated[
        str | None, typer.Option(help="A day or moment; by default 14 days ago.", metavar="WHEN")
    ] = None,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Bring back what a crash left half done.

    Safe to run at any time (owner's credentials).
    Batches in the lake whose signals are not all stored are queued again; the tables of proposals and
    outcomes, the desk's controls and the agents' versions are brought up to date from the ledger.
    """
    from bellwether.cli.readers.times import NoTime, read_time

    now = datetime.now(UTC)
    try:
        first, _ = read_time(since, UTC)
    except NoTime as fault:
        raise WrongUse(f"--since: {fault}") from None
    if first and since and len(since.strip()) <= len("2026-11-01"):
        first = first.replace(hour=0, minute=0, second=0)
    recovered = recover_stage(stage, since=first or now - RECOVERED, now=now)
    told = msgspec.to_builtins(recovered)
    Output(json=json).answer(
        told,
        f"{recovered.batches_seen:,} batches looked at, [bold]{recovered.batches_requeued:,}[/bold] queued "
        f"again ({recovered.items_claimed:,} items); {recovered.projected:,} ledger entries applied.",
    )
    if recovered.unreadable:
        named = ", ".join(recovered.unreadable[:3])
        Output(json=json).note(f"{len(recovered.unreadable):,} objects hold no batch: {named}")


def recover_stage(
    stage: str, *, since: datetime, now: datetime, dead_before: datetime | None = None
) -> "Recovered":
    """Runs recovery on a stage with its owner's credentials."""
    from bellwether.cli import owner
    from bellwether.usecases.recover import Recover

    with owner.owner_ports(stage) as ports:
        return Recover(
            raw=ports.raw,
            claims=ports.claims,
            queue=ports.queue,
            ledger=ports.ledger,
            proposals=ports.proposals,
            outcomes=ports.outcomes,
            controls=ports.controls,
            configs=ports.configs,
        )(since=since, now=now, dead_before=dead_before)


class Smoke:
    """A few calls that show whether a stage stands: who gets in, who does not, and that answers come."""

    def __init__(self, open_as: "Callable[[str | None], Api]") -> None:
        self._open_as = open_as
        self.checks: list[dict[str, Any]] = []

    def expect(
        self,
        name: str,
        status: int,
        call: "Callable[[Api], int]",
        role: str | None,
        *,
        or_: int | None = None,
    ) -> None:
        """Makes one call and notes whether it answered as it should (with `status`, or with `or_`)."""
        began = time.perf_counter()
        detail = ""
        try:
            with self._open_as(role) as api:
                got = call(api)
        except ApiProblem as problem:
            got, detail = problem.status, problem.detail
        except Failure as fault:
            got, detail = 0, fault.detail
        self.checks.append(
            {
                "name": name,
                "ok": got in {status, or_},
                "status": got,
                "expected": status,
                "milliseconds": round((time.perf_counter() - began) * 1000, 1),
                "detail": "" if got in {status, or_} else detail,
            }
        )


def smoke(
    stage: StageOption = "local",
    act_as: Annotated[
        str | None, typer.Option("--as", metavar="ROLE", help="Which login to use on a deployed stage.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show that a stage stands: health, sign-in, rights, answers.

    Writes nothing. Exit code 1 when a check fails.
    """
    from rich.table import Table

    from bellwether.cli.api import Api
    from bellwether.cli.connect import StageTokens, session_for

    desk = find_stage(stage)

    def open_as(role: str | None) -> Api:
        if role is None:
            return Api(desk.api_url, None)
        name = role if desk.is_local else act_as
        return Api(desk.api_url, StageTokens(desk, session_for(desk, name)))

    run = Smoke(open_as)
    run.expect("health answers", 200, lambda api: api.get("/health").status_code, None)
    run.expect(
        "nobody gets in without a token", 401, lambda api: api.get("/dashboard/summary").status_code, None
    )
    run.expect("the summary is shown", 200, lambda api: api.get("/dashboard/summary").status_code, "viewer")
    run.expect("metrics are shown", 200, lambda api: api.get("/metrics").status_code, "viewer")
    run.expect("the stream answers", 200, lambda api: api.get("/dashboard/stream").status_code, "viewer")
    if desk.is_local:
        wrong = {"proposal_id": "0", "content_hash": "0", "action": "reject", "reason": "smoke test"}
        run.expect("a viewer may not decide", 403, lambda api: posted(api, "/decision", wrong), "viewer")
        run.expect("an analyst may not decide", 403, lambda api: posted(api, "/decision", wrong), "analyst")
    empty: dict[str, Any] = {"items": "none"}
    # A login of a deployed stage may lack the right to ingest; then it is that which is refused.
    other = None if desk.is_local else 403
    send = lambda api: posted(api, "/ingest/social", empty)  # noqa: E731
    run.expect("a wrong body is refused", 400, send, "analyst", or_=other)
    table = Table("check", "answer", "expected", "ms", "")
    for check in run.checks:
        mark = "[green]ok[/green]" if check["ok"] else f"[red]{check['detail'] or 'wrong'}[/red]"
        answer = str(check["status"] or "none")
        table.add_row(check["name"], answer, str(check["expected"]), f"{check['milliseconds']:,.0f}", mark)
    sound = all(check["ok"] for check in run.checks)
    Output(json=json).answer({"stage": desk.name, "ok": sound, "checks": run.checks}, table)
    if not sound:
        raise typer.Exit(1)


def posted(api: "Api", path: str, body: Any) -> int:
    """A POST that is answered with success; refusals are raised by the client."""
    api.post(path, body)
    return 200
