"""What a data provider allows and charges: a row a provider, as configuration."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Purpose = Literal["social", "news", "prices", "agent"]


class Quota(Struct, frozen=True, kw_only=True):
    """At most `calls` in any window of `seconds`; `burst` of them may follow each other without a pause.

    The rest is spaced evenly, by the generic cell rate algorithm (ITU-T I.371, 1993): a window of any place
    then holds a burst and what is let through at the spacing, which is why the spacing is
    `seconds / (calls - burst + 1)`.
    """

    calls: Annotated[int, Meta(ge=1)]
    seconds: Annotated[float, Meta(gt=0)]
    burst: Annotated[int, Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        if self.burst > self.calls:
            raise ValueError("a burst is at most the calls of its window")

    @property
    def spacing(self) -> float:
        """Seconds between calls once the burst is used up."""
        return self.seconds / (self.calls - self.burst + 1)

    @property
    def name(self) -> str:
        """What the quota is kept under."""
        return f"{self.calls}/{self.seconds:g}s"


class Terms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One provider. `needs` are the members of its `secret` without which it is not asked at all.

    `call_dollars` and `item_dollars` are US dollars a call and an item delivered. A budget of `None` is none;
    a provider that charges has both. `pause_after_429` is how long (seconds) it is left alone when it says
    429 and not for how long. `source` says where the figures come from and when they were read.
    """

    name: str
    title: str
    purpose: Purpose
    source: str
    quotas: tuple[Quota, ...] = ()
    secret: str | None = None
    needs: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    """Members of the secret it does without, but worse."""
    call_dollars: Annotated[float, Meta(ge=0)] = 0.0
    item_dollars: Annotated[float, Meta(ge=0)] = 0.0
    daily_dollars: Annotated[float, Meta(ge=0)] | None = None
    monthly_dollars: Annotated[float, Meta(ge=0)] | None = None
    daily_tokens: Annotated[int, Meta(ge=0)] | None = None
    monthly_tokens: Annotated[int, Meta(ge=0)] | None = None
    """Tokens of language models, read and written together: they hold where a model has no price as well."""
    pause_after_429: Annotated[float, Meta(ge=0)] = 60.0

    def missing(self, keys: dict[str, str]) -> tuple[str, ...]:
        """The needed members of the secret that `keys` does not have."""
        return tuple(name for name in self.needs if not keys.get(name))
