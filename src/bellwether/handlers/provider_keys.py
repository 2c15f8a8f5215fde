"""The providers' keys, read when a round begins, and which providers cannot work without theirs."""

from collections.abc import Mapping, Sequence

from msgspec import DecodeError

from bellwether.domain.problems import Problem
from bellwether.domain.provider_terms import Terms
from bellwether.handlers.logs import describe_fault, logger
from bellwether.usecases.ports import Secrets

Keys = Mapping[str, Mapping[str, str]]
MOST_CHARACTERS = 4_096


def read_keys(secrets: Secrets, arns: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The usable members of each secret by the secret's name; one that cannot be read is left out."""
    found: dict[str, dict[str, str]] = {}
    for name, arn in arns.items():
        try:
            told = secrets.values(arn)
        except (Problem, DecodeError) as fault:
            logger.warning("a secret of a provider could not be read", secret=name, **describe_fault(fault))
            continue
        found[name] = {
            member: value.strip()
            for member, value in told.items()
            if isinstance(value, str) and usable(value.strip()) and member != "_"
        }
    return found


def usable(value: str) -> bool:
    """Whether a value can travel in a header: printable ASCII, not empty, not endless."""
    return 0 < len(value) <= MOST_CHARACTERS and value.isascii() and value.isprintable()


def why_off(terms: Terms, keys: Keys, switched: Sequence[str]) -> tuple[str, str] | None:
    """Code and sentence of a provider that is not to be asked: switched off, or without a key it needs."""
    if terms.name in switched:
        return "switched_off", f"switched off; bellwether providers on {terms.name}"
    if terms.secret is None or not terms.needs:
        return None
    if terms.secret not in keys:
        return "secret_unreadable", "the secret with its key cannot be read"
    if missing := terms.missing(dict(keys[terms.secret])):
        what = "no contact to introduce the desk with" if missing == ("user_agent",) else "no key"
        return "no_key", f"{what}; bellwether secrets set {terms.secret} {' '.join(missing)}"
    return None
