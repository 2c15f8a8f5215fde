"""What the secret `openai` says of the service to ask: key, model, address, prices."""

import math
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bellwether.adapters.providers.guarded_http import Refused, checked_parts
from bellwether.adapters.providers.openai_models import DEFAULT_MODEL, MODELS, Model, Price

USUAL_ADDRESS = "https://api.openai.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")
_KEY = re.compile(r"[\x21-\x7e]{1,512}")
_PRICES = ("input_price", "cached_price", "output_price")


class BadSettings(ValueError):
    """The secret holds something that cannot be used; the message names the member and never its value."""


class OpenAiSettings(Struct, frozen=True, kw_only=True):
    """`address` is the base without `/v1`; `trusted` the `host:port` that may be this machine's own."""

    api_key: str
    model: Model
    address: str = USUAL_ADDRESS
    trusted: tuple[str, ...] = ()


def read_settings(secret: Mapping[str, Any]) -> OpenAiSettings | None:
    """The settings, `None` without an `api_key`: then there is no language agent. Raises `BadSettings`."""
    key = secret.get("api_key")
    if not key:
        return None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise BadSettings("api_key is no key: it holds characters a header cannot carry")
    address, trusted = _address(secret.get("base_url"))
    return OpenAiSettings(
        api_key=key, model=_model(secret, local=bool(trusted)), address=address, trusted=trusted
    )


def _address(told: object) -> tuple[str, tuple[str, ...]]:
    """The base address, and its `host:port` when it is this machine's own."""
    if not told:
        return USUAL_ADDRESS, ()
    try:
        parts = checked_parts(str(told))
    except Refused as fault:
        raise BadSettings(f"base_url: {fault.detail}") from None
    if parts.query or parts.fragment:
        raise BadSettings("base_url: an address without a query is needed")
    own = parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not own:
        raise BadSettings("base_url: only https is spoken with another machine")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}"
    return base, (f"{parts.hostname}:{port}",) if own else ()


def _model(secret: Mapping[str, Any], *, local: bool) -> Model:
    name = secret.get("model") or DEFAULT_MODEL
    if not isinstance(name, str) or not _MODEL.fullmatch(name):
        raise BadSettings("model is no model's name")
    told = [secret.get(member) for member in _PRICES]
    known = MODELS.get(name)
    if any(price not in (None, "") for price in told):
        read, cached, written = map(_price, told)
        price = Price(read=read, cached=cached, written=written)
        effort, temperature = (known.effort, known.temperature) if known else (None, None)
        return Model(name=name, price=price, effort=effort, temperature=temperature)
    if known is not None:
        return known
    if local:
        return Model(name=name, price=Price(read=0.0, cached=0.0, written=0.0))
    raise BadSettings(f"model: the desk has no prices of it; give {', '.join(_PRICES)} per million tokens")


def _price(told: object) -> float:
    try:
        price = float(told)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        price = math.nan
    if not (math.isfinite(price) and 0 <= price < 10_000):
        raise BadSettings(f"{', '.join(_PRICES)}: all three are needed, in dollars per million tokens")
    return price
