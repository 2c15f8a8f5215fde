"""What a provider's module is given to make its targets from."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bellwether.adapters.providers.calling import Judge, ProviderClient
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.provider_terms import Terms
from bellwether.usecases.ports import Clock, Entities, ProviderRecords


@dataclass(frozen=True, kw_only=True)
class Sources:
    """`keys` holds the members of each secret by the secret's name. `addresses` replaces a provider's base
    address by its name: for servers that speak the same protocol."""

    entities: Entities
    http: GuardedHttp
    records: ProviderRecords
    clock: Clock
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    terms: Mapping[str, Terms] = field(default_factory=lambda: TERMS)
    addresses: Mapping[str, str] = field(default_factory=dict)
    jitter: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    patience: float = 12.0
    """Seconds a call may wait for its place in a quota."""

    def client(self, name: str, judge: Judge) -> ProviderClient:
        """Calls of the provider of that name."""
        return ProviderClient(
            self.terms[name],
            self.http,
            self.records,
            judge,
            clock=self.clock,
            jitter=self.jitter,
            sleep=self.sleep,
            patience=self.patience,
        )

    def key(self, name: str, member: str) -> str | None:
        """A member of the provider's secret, `None` when it is not there or empty."""
        secret = self.terms[name].secret
        return (self.keys.get(secret, {}).get(member) or None) if secret else None

    def address(self, name: str, usual: str) -> str:
        """The base address of the provider."""
        return self.addresses.get(name, usual)
