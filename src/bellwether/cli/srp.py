"""Signing in without sending the password: SRP-6a as Amazon Cognito speaks it.

The protocol is RFC 5054's (https://www.rfc-editor.org/rfc/rfc5054) over the 3072-bit group of RFC 3526 with
SHA-256; the key that proves the password is derived with HKDF (RFC 5869), 16 bytes, info "Caldera Derived
Key". The pool's part after the underscore stands before the user's name wherever that is hashed.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2
_INFO = b"Caldera Derived Key"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class NotThePool(ValueError):
    """The other side sent a value no honest pool sends; going on would give the password away."""


def number(*parts: bytes) -> int:
    """SHA-256 of the parts as a number."""
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


def padded(value: int) -> bytes:
    """A number as bytes whose first bit is 0, as few as that takes."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


class Proof:
    """One sign-in. `public` opens it; `answer` proves the password to the pool's challenge."""

    def __init__(self, pool_id: str, password: str, secret: int | None = None) -> None:
        self._pool = pool_id.partition("_")[2]
        self._password = password
        self._secret = secrets.randbits(1_024) if secret is None else secret
        self._public = pow(GENERATOR, self._secret, PRIME)

    @property
    def public(self) -> str:
        """The client's public value A, in hexadecimal."""
        return format(self._public, "x")

    def answer(self, challenge: Mapping[str, str], at: datetime | None = None) -> dict[str, str]:
        """Responses to `PASSWORD_VERIFIER`. Raises `NotThePool`."""
        user, block = challenge["USER_ID_FOR_SRP"], challenge["SECRET_BLOCK"]
        key = self.key(user, int(challenge["SRP_B"], 16), int(challenge["SALT"], 16))
        stamp = timestamp(at or datetime.now(UTC))
        message = f"{self._pool}{user}".encode() + base64.b64decode(block) + stamp.encode()
        return {
            "USERNAME": user,
            "TIMESTAMP": stamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, message, "sha256")).decode(),
        }

    def key(self, user: str, theirs: int, salt: int) -> bytes:
        """The 16 bytes both sides come to know. `theirs` is the pool's public value B."""
        mixed = number(padded(self._public), padded(theirs))
        if theirs % PRIME == 0 or mixed == 0:
            raise NotThePool("the user pool sent a value it cannot have")
        inner = hashlib.sha256(f"{self._pool}{user}:{self._password}".encode()).digest()
        private = number(padded(salt), inner)
        multiplier = number(padded(PRIME), padded(GENERATOR))
        base = (theirs - multiplier * pow(GENERATOR, private, PRIME)) % PRIME
        shared = pow(base, self._secret + mixed * private, PRIME)
        extracted = hmac.digest(padded(mixed), padded(shared), "sha256")
        return hmac.digest(extracted, _INFO + b"\x01", "sha256")[:16]


def timestamp(at: datetime) -> str:
    """`Wed Nov 25 09:05:00 UTC 2026`: English in every locale, the day without a zero in front."""
    day, month = _DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"{day} {month} {at.day} {at:%H:%M:%S} UTC {at.year}"
