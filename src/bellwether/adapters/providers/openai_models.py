"""The models the desk knows the prices of, as configuration.

US dollars per million tokens at standard processing, of https://platform.openai.com/docs/pricing as copies of
it had them in 2026-04 to 2026-11. They only steer the desk's own budget; OpenAI's bill is what is paid. Other
models, and other prices, are named in the secret (see `openai_settings`).
"""

from collections.abc import Mapping

from msgspec import Struct

MILLION = 1_000_000


class Price(Struct, frozen=True, kw_only=True):
    """Dollars per million tokens read, read from the service's own cache, and written."""

    read: float
    cached: float
    written: float

    def dollars(self, tokens_in: int, cached: int, tokens_out: int) -> float:
        """What a call cost; `cached` tokens are among those read."""
        cached = min(cached, tokens_in)
        fresh = tokens_in - cached
        return (fresh * self.read + cached * self.cached + tokens_out * self.written) / MILLION


class Model(Struct, frozen=True, kw_only=True):
    """One model. `effort` is how long it reasons, for those that would otherwise reason at the desk's cost;
    those that do not reason are asked for their likeliest answer instead (`temperature` 0)."""

    name: str
    price: Price
    effort: str | None = None
    temperature: float | None = None


DEFAULT_MODEL = "gpt-4.1-mini"

_ROWS = (
    Model(name="gpt-4.1-mini", price=Price(read=0.40, cached=0.10, written=1.60), temperature=0.0),
    Model(name="gpt-4.1-nano", price=Price(read=0.10, cached=0.025, written=0.40), temperature=0.0),
    Model(name="gpt-4o-mini", price=Price(read=0.15, cached=0.075, written=0.60), temperature=0.0),
    Model(name="gpt-5-mini", price=Price(read=0.25, cached=0.025, written=2.00), effort="minimal"),
    Model(name="gpt-5-nano", price=Price(read=0.05, cached=0.005, written=0.40), effort="minimal"),
    Model(name="gpt-5.4-mini", price=Price(read=0.75, cached=0.075, written=4.50), effort="none"),
    Model(name="gpt-5.4-nano", price=Price(read=0.20, cached=0.02, written=1.25), effort="none"),
)
MODELS: Mapping[str, Model] = {row.name: row for row in _ROWS}
