"""The secret `openai`: what is taken, what is refused, and that no refusal quotes it."""

from typing import Any

import pytest

from bellwether.adapters.providers.openai_models import DEFAULT_MODEL, MODELS, Price
from bellwether.adapters.providers.openai_settings import USUAL_ADDRESS, BadSettings, read_settings

pytestmark = pytest.mark.req("S2")

KEY = "sk-secret-of-somebody"


@pytest.mark.parametrize("secret", [{}, {"_": "generated"}, {"api_key": ""}, {"api_key": None, "model": "x"}])
def test_without_a_key_there_is_nothing_to_ask(secret: dict[str, Any]) -> None:
    assert read_settings(secret) is None


def test_a_key_alone_is_enough() -> None:
    settings = read_settings({"api_key": KEY, "_": "generated"})
    assert settings is not None
    assert (settings.address, settings.trusted) == (USUAL_ADDRESS, ())
    assert settings.model == MODELS[DEFAULT_MODEL]


@pytest.mark.parametrize(
    ("told", "address", "trusted"),
    [
        ("https://llm.example/v1", "https://llm.example", ()),
        ("https://llm.example/openai/v1/", "https://llm.example/openai", ()),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434", ("127.0.0.1:11434",)),
        ("http://localhost:8080", "http://localhost:8080", ("localhost:8080",)),
        ("https://localhost", "https://localhost", ("localhost:443",)),
    ],
)
def test_compatible_servers_are_named_by_their_address(
    told: str, address: str, trusted: tuple[str, ...]
) -> None:
    settings = read_settings({"api_key": KEY, "base_url": told})
    assert settings is not None
    assert (settings.address, settings.trusted) == (address, trusted)


def test_a_model_of_ones_own_has_prices_of_ones_own() -> None:
    prices = {"input_price": "1.5", "cached_price": 0, "output_price": 4}
    settings = read_settings({"api_key": KEY, "model": "their-model", **prices})
    assert settings is not None
    assert settings.model.price == Price(read=1.5, cached=0, written=4)
    local = read_settings({"api_key": KEY, "model": "llama-3.2", "base_url": "http://127.0.0.1:1"})
    assert local is not None
    assert local.model.price.dollars(1_000_000, 0, 1_000_000) == 0


@pytest.mark.parametrize(
    "secret",
    [
        {"api_key": 5},
        {"api_key": f"{KEY}\r\nX-Evil: 1"},
        {"api_key": "sk-ключ"},
        {"base_url": "http://llm.example"},
        {"base_url": "http://10.0.0.7:8080"},
        {"base_url": "http://169.254.169.254/latest"},
        {"base_url": "http://127.0.0.1.evil.example"},
        {"base_url": "ftp://llm.example"},
        {"base_url": f"https://user:{KEY}@llm.example"},
        {"base_url": f"https://llm.example/?key={KEY}"},
        {"base_url": "https://"},
        {"model": "unknown-model"},
        {"model": "a b"},
        {"model": 5},
        {"input_price": 1},
        {"input_price": "free", "cached_price": 0, "output_price": 0},
        {"input_price": -1, "cached_price": 0, "output_price": 0},
        {"input_price": "nan", "cached_price": 0, "output_price": 0},
    ],
)
def test_what_cannot_be_used_is_named_and_not_quoted(secret: dict[str, Any]) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings({"api_key": KEY, **secret})
    assert KEY not in str(refused.value)
    assert str(refused.value).split(":")[0].split(" ")[0].strip(",") in {*secret, "model"}


def test_cached_tokens_are_never_more_than_those_read() -> None:
    price = Price(read=1.0, cached=0.1, written=2.0)
    assert price.dollars(100, 500, 0) == pytest.approx(100 * 0.1 / 1e6)
    assert price.dollars(1_000_000, 0, 500_000) == pytest.approx(2.0)
