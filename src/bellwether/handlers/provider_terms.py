"""What a stage says of providers in place of the product's own table of terms."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.provider_terms import Quota, Terms


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What may differ between stages; `None` leaves the table's value."""

    quotas: tuple[Quota, ...] | None = None
    call_dollars: float | None = None
    item_dollars: float | None = None
    daily_dollars: float | None = None
    monthly_dollars: float | None = None


def read_terms(text: str) -> dict[str, Terms]:
    """All providers' terms with the overrides of a JSON object by name.

    Raises `ValueError` for anything else: a meter that cannot be read must stop the deployment, not run at
    nothing.
    """
    try:
        told = msgspec.json.decode(text, type=dict[str, Override])
    except msgspec.DecodeError as fault:
        raise ValueError(f"PROVIDER_TERMS cannot be read: {fault}") from None
    if unknown := sorted(set(told) - set(TERMS)):
        raise ValueError(f"PROVIDER_TERMS names no providers of this product: {', '.join(unknown)}")
    return {name: overridden(terms, told.get(name)) for name, terms in TERMS.items()}


def overridden(terms: Terms, told: Override | None) -> Terms:
    """The terms with what the stage says. Raises `ValueError` for a negative price or budget."""
    if told is None:
        return terms
    changes: Mapping[str, object] = {name: value for name, value in asdict(told).items() if value is not None}
    # decoded again, so that the bounds of the fields hold for what a stage says too
    return msgspec.convert(msgspec.to_builtins(replace(terms, **changes)), Terms)
