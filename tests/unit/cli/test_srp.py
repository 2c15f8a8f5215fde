"""The password's proof: against the protocol's other side, written here from the specification."""

import base64
import hashlib
import hmac
import math
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.cli.srp import GENERATOR, PRIME, NotThePool, Proof, number, padded, timestamp

POOL = "eu-central-2_AbCdEfGhI"


def pi_times_two_to(bits: int) -> int:
    """Floor of π·2^bits, by Machin's formula in whole numbers with 64 bits to spare."""
    one = 1 << (bits + 64)

    def arctan_of_one_over(x: int) -> int:
        total = term = one // x
        n = 3
        while term:
            term //= x * x
            total += term // n if n % 4 == 1 else -(term // n)
            n += 2
        return total

    return (4 * (4 * arctan_of_one_over(5) - arctan_of_one_over(239))) >> 64


@pytest.mark.req("U1")
def test_the_group_is_the_one_of_rfc_3526() -> None:
    """2^3072 − 2^3008 − 1 + 2^64·(⌊2^2942·π⌋ + 1690314), RFC 3526 section 4."""
    assert 2**3072 - 2**3008 - 1 + 2**64 * (pi_times_two_to(2942) + 1690314) == PRIME
    assert GENERATOR == 2


class Server:
    """The pool's side (RFC 5054): it knows a verifier and never the password."""

    def __init__(self, user: str, password: str, salt: int, secret: int) -> None:
        inner = hashlib.sha256(f"AbCdEfGhI{user}:{password}".encode()).digest()
        self.verifier = pow(GENERATOR, number(padded(salt), inner), PRIME)
        self.secret = secret
        multiplier = number(padded(PRIME), padded(GENERATOR))
        self.public = (multiplier * self.verifier + pow(GENERATOR, secret, PRIME)) % PRIME

    def key(self, theirs: int) -> bytes:
        mixed = number(padded(theirs), padded(self.public))
        shared = pow(theirs * pow(self.verifier, mixed, PRIME), self.secret, PRIME)
        derived = HKDF(hashes.SHA256(), 16, salt=padded(mixed), info=b"Caldera Derived Key")
        return derived.derive(padded(shared))


@pytest.mark.req("U1")
@settings(max_examples=10)
@given(
    password=st.text(min_size=1, max_size=40),
    salt=st.integers(1, 2**128),
    client=st.integers(2, 2**1024),
    server=st.integers(2, 2**1024),
)
def test_both_sides_come_to_the_same_key_and_a_wrong_password_to_another(
    password: str, salt: int, client: int, server: int
) -> None:
    pool = Server("maria", password, salt, server)
    proof = Proof(POOL, password, client)
    assert proof.key("maria", pool.public, salt) == pool.key(int(proof.public, 16))
    wrong = Proof(POOL, password + "x", client)
    assert wrong.key("maria", pool.public, salt) != pool.key(int(wrong.public, 16))


@pytest.mark.req("U1")
def test_the_answer_signs_pool_user_block_and_time_with_the_key() -> None:
    pool, salt, block = Server("maria", "pw", 77, 1_234), 77, base64.b64encode(b"block").decode()
    proof = Proof(POOL, "pw", 4_321)
    challenge = {
        "SALT": format(salt, "x"),
        "SRP_B": format(pool.public, "x"),
        "SECRET_BLOCK": block,
        "USER_ID_FOR_SRP": "maria",
    }
    told = proof.answer(challenge, datetime(2026, 1, 5, 9, 5, tzinfo=UTC))
    assert told["TIMESTAMP"] == "Mon Jan 5 09:05:00 UTC 2026"
    signed = b"AbCdEfGhImariablock" + told["TIMESTAMP"].encode()
    expected = hmac.digest(pool.key(int(proof.public, 16)), signed, "sha256")
    assert base64.b64decode(told["PASSWORD_CLAIM_SIGNATURE"]) == expected
    assert told["PASSWORD_CLAIM_SECRET_BLOCK"] == block


@pytest.mark.req("U1")
@pytest.mark.parametrize("theirs", [0, PRIME, 2 * PRIME])
def test_a_value_no_pool_has_is_refused(theirs: int) -> None:
    with pytest.raises(NotThePool):
        Proof(POOL, "pw").key("maria", theirs, 1)


def test_secrets_are_long_and_never_the_same() -> None:
    first, second = Proof(POOL, "pw").public, Proof(POOL, "pw").public
    assert first != second
    assert math.log2(int(first, 16)) > 2_900


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "01"), (0x7F, "7f"), (0x80, "0080"), (0xFF, "00ff"), (0x100, "0100"), (0x8000, "008000")],
)
def test_numbers_are_padded_as_signed_ones_are(value: int, expected: str) -> None:
    assert padded(value).hex() == expected


def test_the_timestamp_is_english_with_single_digits() -> None:
    assert timestamp(datetime(2026, 11, 25, 23, 59, 1, tzinfo=UTC)) == "Wed Nov 25 23:59:01 UTC 2026"
