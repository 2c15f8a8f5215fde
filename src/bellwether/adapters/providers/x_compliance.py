"""Which posts of X are gone: by a batch compliance job, or by looking some up where jobs are not allowed.

A job takes all ids at once, costs nothing, and is answered when X has worked through it, often in minutes:
what a run does not see the end of, the next one asks for. Where posts come and go, addresses are signed: they
are asked for again and never kept. A look-up is charged like any other read of a post, so it is a trickle.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from bellwether.adapters.providers.calling import Calls, ProviderClient
from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.x import ADDRESS, NAME
from bellwether.adapters.providers.x_answers import judged
from bellwether.adapters.providers.x_posts import is_id
from bellwether.usecases.ports import PostAnswer

JOBS = "/2/compliance/jobs"
LOOK_UP = "/2/tweets"
MOST_IDS = 500_000
"""Ids of one job: ten megabytes."""
MOST_LOOKED_UP = 20
"""Posts that are looked up a run: 480 a day, about half of the day's budget."""
POLLS, BETWEEN = 24, 5.0
"""How often, and how many seconds apart, a run asks whether a job is done."""
NOT_ALLOWED = {"not_enrolled", "forbidden", "http_404"}
_GONE = {"resource-not-found": "deleted", "not-authorized-for-resource": "protected"}


class _Job(Struct, frozen=True):
    id: str
    status: str
    upload_url: str | None = None
    download_url: str | None = None


class _JobAnswer(Struct, frozen=True):
    data: _Job


class _Line(Struct, frozen=True):
    """One line of a job's result; posts that are as they were have none."""

    id: str
    action: str
    reason: str | None = None


class _Found(Struct, frozen=True):
    data: list[Raw] = []
    errors: list[dict[str, Any]] = []


class XPosts:
    """`PostSource` of X."""

    name = NAME

    def __init__(
        self,
        client: ProviderClient,
        http: GuardedHttp,
        key: str,
        *,
        address: str = ADDRESS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}
        self._address = address
        self._sleep = sleep

    def ask(self, ids: Sequence[str], pending: str | None, out_of_time: Callable[[], bool]) -> PostAnswer:
        calls, ids = self._client.calls(), ids[:MOST_IDS]
        try:
            job = pending or self._begun(calls, ids)
        except Refused as fault:
            if fault.code in NOT_ALLOWED:
                return self._looked_up(calls, ids[:MOST_LOOKED_UP])
            return PostAnswer(code=fault.code, detail=fault.detail)
        try:
            return self._ended(calls, job, ids, out_of_time)
        except Refused as fault:
            lost = fault.code in {"job_failed", "http_404", "http_400"}
            return PostAnswer(pending=None if lost else job, code=fault.code, detail=fault.detail)

    def _begun(self, calls: Calls, ids: Sequence[str]) -> str:
        """A job with the ids uploaded; its id."""
        body = msgspec.json.encode({"type": "tweets", "name": "bellwether"})
        headers = {**self._headers, "Content-Type": "application/json"}
        job = _job(calls.post(f"{self._address}{JOBS}", body, headers))
        if not job.upload_url:
            raise Refused("bad_answer", "X tells no address to upload to")
        content = "\n".join(ids).encode()
        response = self._http.put(job.upload_url, content, {"Content-Type": "text/plain"})
        if response.status not in {200, 201, 204}:
            raise Refused("upload_refused", f"the ids were not taken ({response.status})")
        return job.id

    def _ended(
        self, calls: Calls, job_id: str, ids: Sequence[str], out_of_time: Callable[[], bool]
    ) -> PostAnswer:
        for poll in range(POLLS):
            job = _job(calls.get(f"{self._address}{JOBS}/{job_id}", self._headers))
            if job.status == "complete":
                return PostAnswer(gone=self._results(job, ids), answered=len(ids))
            if job.status not in {"created", "in_progress"}:
                raise Refused("job_failed", "X gave the compliance job up")
            if out_of_time() or poll == POLLS - 1:
                break
            self._sleep(BETWEEN)
        return PostAnswer(pending=job_id)

    def _results(self, job: _Job, ids: Sequence[str]) -> dict[str, str]:
        if not job.download_url:
            raise Refused("bad_answer", "X tells no address to download from")
        response = self._http.get(job.download_url)
        if response.status != 200:
            raise Refused("download_refused", f"the results did not come ({response.status})")
        asked = set(ids)
        try:
            lines = [msgspec.json.decode(line, type=_Line) for line in response.content.splitlines() if line]
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Refused("bad_answer", "the results are not what X documents") from None
        return {line.id: because for line in lines if line.id in asked and (because := _because(line))}

    def _looked_up(self, calls: Calls, ids: Sequence[str]) -> PostAnswer:
        """Asks about some posts one by one: each that is still there is charged for."""
        try:
            response = calls.get(
                f"{self._address}{LOOK_UP}?ids={','.join(ids)}", self._headers, most_items=len(ids)
            )
            found = _found(response)
        except Refused as fault:
            return PostAnswer(code=fault.code, detail=fault.detail)
        calls.delivered(len(found.data), len(ids))
        gone = {}
        for error in found.errors:
            problem, told = str(error.get("type", "")).rsplit("/", 1)[-1], str(error.get("resource_id", ""))
            if problem in _GONE and told in ids:
                gone[told] = _GONE[problem]
        detail = "X lets this account run no compliance jobs; posts are looked up a few at a time"
        return PostAnswer(gone=gone, answered=len(ids), code="no_jobs", detail=detail)


def x_posts(sources: Sources) -> XPosts | None:
    """X as a source to ask about posts; `None` without a key."""
    key = sources.key(NAME, "bearer_token")
    if key is None:
        return None
    client = sources.client(NAME, judged(key, searching=False))
    return XPosts(client, sources.http, key, address=sources.address(NAME, ADDRESS), sleep=sources.sleep)


def _because(line: _Line) -> str | None:
    if line.action == "delete":
        return line.reason if line.reason in {"protected", "suspended", "deactivated"} else "deleted"
    # the words the desk holds are no longer what was said; what is said now is read when it is found again
    return "edited" if line.action == "rehydrate" else None


def _job(response: Response) -> _Job:
    try:
        job = msgspec.json.decode(response.content, type=_JobAnswer).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("bad_answer", "the answer is no compliance job") from None
    if not is_id(job.id):
        raise Refused("bad_answer", "the answer is no compliance job")
    return job


def _found(response: Response) -> _Found:
    try:
        return msgspec.json.decode(response.content, type=_Found)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("bad_answer", "the answer holds no posts", unanswered=True) from None
