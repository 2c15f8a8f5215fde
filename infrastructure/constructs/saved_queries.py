"""The questions an operator asks the logs, saved where CloudWatch offers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.function import DeskFunction
from infrastructure.settings import StageSettings


@dataclass(frozen=True)
class Question:
    """A query over the functions' logs (`of` names them; none means all) or over the access log."""

    query: str
    of: tuple[str, ...] = ()
    access: bool = False


_ERRORS = ("ERROR", "CRITICAL")

QUESTIONS: Mapping[str, Question] = {
    "errors by function": Question(
        f"""filter level in {list(_ERRORS)}
| stats count(*) as errors, latest(@timestamp) as last by function, message, fault, aws_code
| sort errors desc"""
    ),
    "slowest requests": Question(
        """filter message = "answered" and ispresent(milliseconds)
| fields @timestamp, function, method, route, status, milliseconds, correlation_id
| sort milliseconds desc
| limit 50"""
    ),
    "latency by route": Question(
        """filter message = "answered" and ispresent(milliseconds)
| stats count(*) as requests, pct(milliseconds, 50) as p50, pct(milliseconds, 95) as p95,
  max(milliseconds) as slowest by route
| sort p95 desc"""
    ),
    "one correlation id": Question(
        """fields @timestamp, function, level, message, route, status, message_id, fault, milliseconds
| filter @message like "PUT-THE-ID-HERE"
| sort @timestamp asc
| limit 500"""
    ),
    "failed messages": Question(
        """filter message = "failed" and ispresent(message_id)
| stats count(*) as attempts, max(received) as received, latest(@timestamp) as last
  by function, message_id, correlation_id, fault
| sort last desc""",
        of=("signal_worker", "project_ledger"),
    ),
    "callers without a valid token": Question(
        """filter message = "unauthorized"
| stats count(*) as calls, latest(@timestamp) as last by reason
| sort calls desc""",
        of=("authorizer",),
    ),
    "who was refused": Question(
        """filter message = "answered" and status in [401, 403]
| stats count(*) as calls, latest(@timestamp) as last by caller, route, status
| sort calls desc"""
    ),
    "refusals by address": Question(
        """filter ispresent(refused_because) and refused_because != "-"
| stats count(*) as calls, latest(@timestamp) as last by ip, caller, route, refused_because
| sort calls desc
| limit 100""",
        access=True,
    ),
    "answers by status": Question(
        """stats count(*) as answers, pct(milliseconds, 95) as p95 by bin(5m), status""",
        access=True,
    ),
    "provider errors": Question(
        """filter message = "a provider fails"
| stats count(*) as times, max(failures) as in_a_row, latest(@timestamp) as last by provider, code
| sort times desc""",
        of=("fetch_social", "fetch_news", "fetch_prices"),
    ),
    "bars held back": Question(
        """filter message = "a bar is held back"
| stats count(*) as bars, latest(day) as last_day, latest(observed) as figure, latest(allowed) as most
  by symbol, code
| sort bars desc""",
        of=("fetch_prices",),
    ),
    "cost of providers": Question(
        """filter ispresent(ProviderDollars)
| stats sum(ProviderCalls) as calls, sum(ProviderDollars) as dollars by provider, bin(1d)
| sort dollars desc""",
        of=("fetch_social", "fetch_news", "fetch_prices"),
    ),
    "scheduled runs": Question(
        """filter ispresent(Runs)
| stats count(*) as runs, sum(RunFailures) as failed, max(RunMilliseconds) as slowest,
  latest(@timestamp) as last by function
| sort failed desc"""
    ),
}


class SavedQueries(Construct):
    """All of `QUESTIONS`, in one folder named for the stage."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Sequence[DeskFunction],
        access_log: logs.ILogGroup,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        groups = {function.name: function.log_group.log_group_name for function in functions}
        for name, question in QUESTIONS.items():
            asked = [access_log.log_group_name] if question.access else _of(groups, question)
            logs.CfnQueryDefinition(
                self,
                "".join(word.capitalize() for word in name.split()),
                name=f"{settings.prefix}/{name}",
                query_string=question.query,
                log_group_names=asked,
            )


def _of(groups: Mapping[str, str], question: Question) -> list[str]:
    """The log groups a question is asked of; a query reads at most 50."""
    return [groups[name] for name in question.of or sorted(groups)][:50]
