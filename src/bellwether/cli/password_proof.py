"""Proving a password to Cognito without sending it: the Secure Remote Password protocol, version 6a.

Sources: RFC 5054 (the 3,072-bit group, u, k), RFC 2945 (x, S) and RFC 5869 (the session key, of which Cognito
takes 16 bytes under the label "Caldera Derived Key"), with SHA-256 and generator 2 as Amazon's own clients
have them. Integers are hashed big-endian with a leading zero byte where the first bit is set.
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
_LABEL = b"Caldera Derived Key"
_KEY_BYTES = 16
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class PasswordProof:
    """One attempt to sign in to a pool: `public` goes out first, then the answer to what comes back.

    `secret` is the client's random exponent; tests fix it, everybody else leaves it out.
    """

    def __init__(self, pool_id: str, password: str, *, secret: int | None = None) -> None:
        self._pool = pool_id.partition("_")[2]
        self._password = password
        self._secret = secret or secrets.randbits(1024) | 1
        self._public = pow(GENERATOR, self._secret, PRIME)

    @property
    def public(self) -> str:
        """A = g^a, in hexadecimal digits (`SRP_A`)."""
        return f"{self._public:x}"

    def answer(self, challenge: Mapping[str, str], now: datetime | None = None) -> dict[str, str]:
        """The responses to a PASSWORD_VERIFIER challenge with its parameters.

        Raises `ValueError` for a challenge that would give the password away (B divisible by N, or u = 0),
        and `KeyError` for one with a part missing.
        """
        user, block = challenge["USER_ID_FOR_SRP"], challenge["SECRET_BLOCK"]
        key = self._session_key(user, int(challenge["SRP_B"], 16), int(challenge["SALT"], 16))
        said = timestamp(now or datetime.now(UTC))
        message = (self._pool + user).encode() + base64.b64decode(block) + said.encode()
        signature = hmac.new(key, message, hashlib.sha256).digest()
        return {
            "USERNAME": user,
            "TIMESTAMP": said,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode(),
        }

    def _session_key(self, user: str, theirs: int, salt: int) -> bytes:
        u = _hashed(_padded(self._public), _padded(theirs))
        if theirs % PRIME == 0 or u == 0:
            raise ValueError("the user pool's answer is not one an honest server gives")
        inner = hashlib.sha256(f"{self._pool}{user}:{self._password}".encode()).digest()
        x = _hashed(_padded(salt), inner)
        k = _hashed(_padded(PRIME), _padded(GENERATOR))
        shared = pow(theirs - k * pow(GENERATOR, x, PRIME), self._secret + u * x, PRIME)
        extracted = hmac.new(_padded(u), _padded(shared), hashlib.sha256).digest()
        return hmac.new(extracted, _LABEL + b"\x01", hashlib.sha256).digest()[:_KEY_BYTES]


def timestamp(moment: datetime) -> str:
    """`Wed Nov 5 09:03:07 UTC 2026`: English whatever the locale, the day without a leading zero."""
    at = moment.astimezone(UTC)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day} {at:%H:%M:%S} UTC {at.year}"


def _padded(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hashed(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")
