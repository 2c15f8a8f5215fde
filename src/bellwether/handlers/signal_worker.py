"""Turns queued batches into signals; a batch that cannot be read fails alone."""

from dataclasses import dataclass
from typing import Any

import msgspec

from bellwether.adapters.composition import Composition
from bellwether.agents.text.model import SentimentModel
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.language import Language
from bellwether.handlers.logs import logger
from bellwether.handlers.queue_function import QueueFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import BatchMessage, Clock, QueueRetries
from bellwether.usecases.process_batch import ProcessBatch


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    lake_bucket: str
    claims_table: str
    events_table: str
    asset_state_table: str
    signals_table_prefix: str
    tracked_entities_table: str
    agents_config_table: str
    ingest_queue_url: str
    openai_secret_arn: str
    provider_terms: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    process: ProcessBatch
    retries: QueueRetries
    language: Language | None = None
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    counts = make.counts(settings.events_table)
    language = Language(
        settings.openai_secret_arn,
        make.secrets,
        lambda: make.provider_records(settings.events_table),
        lambda: make.kept_readings(settings.claims_table),
        terms=settings.provider_terms,
        clock=now,
    )
    return Parts(
        process=ProcessBatch(
            raw=make.raw_batches(settings.lake_bucket),
            claims=make.item_claims(settings.claims_table),
            signals=make.signals(settings.signals_table_prefix, counts),
            states=make.asset_states(settings.asset_state_table, settings.claims_table),
            entities=make.entities(settings.tracked_entities_table),
            configs=make.agent_configs(settings.agents_config_table),
            changes=make.changes(settings.events_table),
            counts=counts,
            sentiment=SentimentModel.load(),
            others=language.agents,
        ),
        retries=make.queue_retries(settings.ingest_queue_url),
        language=language,
    )


def work(body: bytes, parts: Parts) -> dict[str, Any]:
    """One batch. Raises what the use case raises, and for a message that is none."""
    message = msgspec.json.decode(body, type=BatchMessage)
    try:
        done = parts.process(message, now=parts.clock())
    finally:
        # what was asked was paid for, whatever became of the batch
        if parts.language is not None:
            parts.language.tell(parts.process.counts)
    for failure in done.failures:
        logger.warning(
            "an agent failed",
            item_id=failure.item_id,
            agent=failure.agent_id,
            asset=failure.asset,
            fault=failure.error.partition(":")[0],
        )
    record(Signals=done.signals, AgentFailures=len(done.failures))
    return {"batch_id": message.batch_id, "signals": done.signals, "assets": done.assets}


handler = QueueFunction(Settings, compose, work, retries=lambda parts: parts.retries)
