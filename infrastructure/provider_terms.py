"""What a stage allows its providers, as its functions are told and as its dashboards show it."""

import json

from bellwether.handlers.provider_terms import read_terms
from infrastructure.settings import StageSettings


def terms_of(settings: StageSettings) -> str:
    """The stage's own terms as `PROVIDER_TERMS`. Raises `ValueError` for what a function could not read."""
    text = json.dumps({name: dict(told) for name, told in sorted(settings.provider_terms.items())})
    read_terms(text)
    return text


def monthly_dollars(settings: StageSettings) -> float:
    """What all providers together may cost in a month, in US dollars."""
    return sum(row.monthly_dollars or 0.0 for row in read_terms(terms_of(settings)).values())
