"""The password is proved to a server that knows only its verifier, and never sent."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.cli.password_proof import GENERATOR, PRIME, PasswordProof, timestamp

POOL = "eu-central-2_Abc123xyz"
NOW = datetime(2026, 11, 5, 9, 3, 7, tzinfo=UTC)
BLOCK = base64.b64encode(b"secret block").decode()


def digest(*parts: bytes) -> int:
    return int(hashlib.sha256(b"".join(parts)).hexdigest(), 16)


def signed_number(number: int) -> bytes:
    """As two's complement, which is how the Java clients hash integers."""
    digits = f"{number:x}"
    digits = f"0{digits}" if len(digits) % 2 else digits
    return bytes.fromhex(f"00{digits}" if digits[0] in "89abcdef" else digits)


class Server:
    """The other side of RFC 5054: keeps the salt and the verifier g^x, never the password."""

    def __init__(self, user: str, password: str, *, salt: int, secret: int) -> None:
        identity = hashlib.sha256(f"Abc123xyz{user}:{password}".encode()).digest()
        self.verifier = pow(GENERATOR, digest(signed_number(salt), identity), PRIME)
        self.user, self.salt, self.secret = user, salt, secret
        k = digest(signed_number(PRIME), signed_number(GENERATOR))
        self.public = (k * self.verifier + pow(GENERATOR, secret, PRIME)) % PRIME

    def challenge(self) -> dict[str, str]:
        return {
            "USERNAME": self.user,
            "USER_ID_FOR_SRP": self.user,
            "SALT": f"{self.salt:x}",
            "SRP_B": f"{self.public:x}",
            "SECRET_BLOCK": BLOCK,
        }

    def accepts(self, client_public: str, responses: dict[str, str]) -> bool:
        theirs = int(client_public, 16)
        u = digest(signed_number(theirs), signed_number(self.public))
        shared = pow(theirs * pow(self.verifier, u, PRIME), self.secret, PRIME)
        extracted = hmac.digest(signed_number(u), signed_number(shared), "sha256")
        key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
        message = b"Abc123xyz" + self.user.encode() + b"secret block" + responses["TIMESTAMP"].encode()
        expected = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
        return hmac.compare_digest(expected, responses["PASSWORD_CLAIM_SIGNATURE"])


@pytest.mark.req("U1")
@settings(max_examples=20)
@given(
    password=st.text(min_size=1, max_size=40),
    salt=st.integers(1, 2**128 - 1),
    ours=st.integers(2, 2**1024),
    theirs=st.integers(2, 2**1024),
)
def test_the_right_password_is_accepted_and_no_other(
    password: str, salt: int, ours: int, theirs: int
) -> None:
    server = Server("maria", password, salt=salt, secret=theirs)
    proof = PasswordProof(POOL, password, secret=ours)
    assert server.accepts(proof.public, proof.answer(server.challenge(), NOW))
    wrong = PasswordProof(POOL, f"{password}x", secret=ours)
    assert not server.accepts(wrong.public, wrong.answer(server.challenge(), NOW))


def test_the_answer_names_the_user_and_the_block_and_not_the_password() -> None:
    server = Server("maria", "Correct-Horse-1", salt=5, secret=7)
    proof = PasswordProof(POOL, "Correct-Horse-1")
    answer = proof.answer(server.challenge(), NOW)
    assert (answer["USERNAME"], answer["PASSWORD_CLAIM_SECRET_BLOCK"]) == ("maria", BLOCK)
    assert answer["TIMESTAMP"] == "Thu Nov 5 09:03:07 UTC 2026"
    assert "Correct-Horse-1" not in str(answer)


def test_two_attempts_never_share_their_secret() -> None:
    assert PasswordProof(POOL, "p").public != PasswordProof(POOL, "p").public


@pytest.mark.parametrize("theirs", [0, PRIME, 2 * PRIME])
def test_a_server_that_would_learn_the_password_is_refused(theirs: int) -> None:
    challenge = {**Server("maria", "p", salt=5, secret=7).challenge(), "SRP_B": f"{theirs:x}"}
    with pytest.raises(ValueError, match="honest"):
        PasswordProof(POOL, "p").answer(challenge, NOW)


def test_the_group_is_a_safe_prime_of_3072_bits() -> None:
    assert PRIME.bit_length() == 3072
    for number in (PRIME, (PRIME - 1) // 2):
        assert pow(3, number - 1, number) == 1


def test_the_time_is_written_in_english_and_utc() -> None:
    assert timestamp(datetime(2026, 3, 1, 23, 59, 0, tzinfo=UTC)) == "Sun Mar 1 23:59:00 UTC 2026"
