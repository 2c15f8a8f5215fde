"""The language agent where the owner gave a key: made when the secret has one, made anew when it changes.

Nothing of it is loaded before, and without a key nothing is asked but the secret, once in five minutes.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from bellwether.agents.readings import ItemAgent
from bellwether.domain.problems import Problem
from bellwether.handlers.figures import record
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.time_left import seconds_left
from bellwether.usecases.ports import Clock, Counts, ProviderRecords, Secrets

if TYPE_CHECKING:
    from bellwether.adapters.providers.openai import OpenAi, Told
    from bellwether.agents.language.ports import KeptReadings

MOST_SECONDS = 60.0
"""For all questions of a batch."""
KEPT_BACK_SECONDS = 30.0
"""What a batch needs besides: its signals have to be stored before the runtime ends the call."""


def time_to_ask() -> float:
    """Seconds a batch may ask for from now on; none is left when a call nears its end."""
    return min(MOST_SECONDS, seconds_left() - KEPT_BACK_SECONDS)


class Language:
    """`agents` are none or one. Ports are made when they are needed first; `terms` is what the stage says of
    providers, as JSON."""

    def __init__(
        self,
        secret_id: str,
        secrets: Callable[[], Secrets],
        records: Callable[[], ProviderRecords],
        kept: Callable[[], "KeptReadings"],
        *,
        terms: str = "{}",
        clock: Clock,
        seconds: Callable[[], float] = time_to_ask,
    ) -> None:
        self._terms = terms
        self._secret_id = secret_id
        self._make_secrets = secrets
        self._records = records
        self._kept = kept
        self._clock = clock
        self._seconds = seconds
        self._secrets: Secrets | None = None
        self._text = ""
        self._model: OpenAi | None = None
        self._agents: tuple[ItemAgent, ...] = ()

    def agents(self) -> Sequence[ItemAgent]:
        """The agent, if the secret has a key now. One that cannot be read or used is told, and is none."""
        try:
            self._secrets = self._secrets or self._make_secrets()
            text = self._secrets.text(self._secret_id)
        except Problem as fault:
            logger.warning("the secret of the language model could not be read", **describe_fault(fault))
            return ()
        if text != self._text:
            self._text, self._model = text, self._made(text)
            self._agents = (self._agent(self._model),) if self._model else ()
            if self._model is None:
                self._tell_off()
        return self._agents

    def _tell_off(self) -> None:
        """Says where people look that the agent is off, once for each content of the secret."""
        from bellwether.adapters.providers.tally import change
        from bellwether.domain.provider_record import switched_off

        if _has_key(self._text):
            code, detail = "key_unusable", "the secret openai cannot be used; bellwether secrets list"
        else:
            code, detail = "no_key", "no key; bellwether secrets set openai api_key"
        try:
            change(self._records(), "openai", lambda before: switched_off(before, code, detail))
        except Problem as fault:
            logger.warning("the providers' records do not answer", **describe_fault(fault))

    def tell(self, counts: Counts) -> None:
        """Logs, figures and counters of the tries since it was called last."""
        told = self._model.take_told() if self._model else []
        if told:
            _log(told)
            _record(told, self._budget_used())
            _count(told, counts)

    def _budget_used(self) -> float | None:
        from bellwether.domain.provider_record import budget_used
        from bellwether.handlers.provider_terms import read_terms

        try:
            return budget_used(
                self._records().get("openai"), read_terms(self._terms)["openai"], self._clock()
            )
        except Problem as fault:
            logger.warning("the providers' records do not answer", **describe_fault(fault))
            return None

    def _made(self, text: str) -> "OpenAi | None":
        # a key that is not there is the usual case: it is known without loading what reads the rest
        if not _has_key(text):
            return None
        from bellwether.adapters.providers.openai import NAME, OpenAi
        from bellwether.adapters.providers.openai_settings import BadSettings, read_settings
        from bellwether.handlers.provider_terms import read_terms

        try:
            settings = read_settings(msgspec.json.decode(text))
        except BadSettings as fault:
            logger.warning("the secret of the language model cannot be used", reason=str(fault))
            return None
        if settings is None:
            return None
        terms = read_terms(self._terms)[NAME]
        return OpenAi(settings, terms, self._records(), clock=self._clock, seconds=self._seconds)

    def _agent(self, model: "OpenAi") -> ItemAgent:
        import secrets as chance

        from bellwether.agents.llm import LanguageAgent

        return LanguageAgent(
            model=model, kept=self._kept(), new_id=partial(chance.token_hex, 6), draw=chance.randbelow
        )


def _has_key(text: str) -> bool:
    try:
        return bool(msgspec.json.decode(text, type=dict[str, object]).get("api_key"))
    except msgspec.DecodeError:
        logger.warning("the secret of the language model cannot be used", reason="it is no JSON object")
        return False


def _log(told: Sequence["Told"]) -> None:
    for one in told:
        write = logger.info if one.code == "ok" else logger.warning
        write(
            "asked a language model",
            provider="openai",
            code=one.code,
            request_id=one.request_id,
            milliseconds=one.milliseconds,
            tokens_read=one.usage.read,
            tokens_written=one.usage.written,
        )


def _tokens(told: Sequence["Told"]) -> dict[str, int]:
    read, cached = sum(one.usage.read for one in told), sum(one.usage.cached for one in told)
    return {
        "input": read - cached,
        "cached": cached,
        "output": sum(one.usage.written for one in told),
    }


def _record(told: Sequence["Told"], used: float | None) -> None:
    failing = int(all(one.code != "ok" for one in told))
    dollars = sum(one.dollars for one in told)
    record({"provider": "openai"}, ProviderCalls=len(told), ProviderFailures=failing, ProviderDollars=dollars)
    if used is not None:
        record(ProviderBudgetUsed=round(used, 4))
    for direction, tokens in _tokens(told).items():
        record({"direction": direction}, LlmTokens=tokens)


def _count(told: Sequence["Told"], counts: Counts) -> None:
    """Adds to the counters the dashboard shows by provider; losing them must not bring the batch back."""
    totals = Counter[str]()
    totals['bellwether_provider_calls_total{provider="openai"}'] = len(told)
    for direction, tokens in _tokens(told).items():
        totals[f'bellwether_provider_tokens_total{{provider="openai",direction="{direction}"}}'] = tokens
    added = {name: float(value) for name, value in totals.items() if value}
    dollars = sum(one.dollars for one in told)
    if dollars:
        added['bellwether_provider_dollars_total{provider="openai"}'] = dollars
    try:
        counts.add(added)
    except Problem as fault:
        logger.warning("the counters do not answer", **describe_fault(fault))
