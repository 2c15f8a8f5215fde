"""What the authorizer costs: a request's decision warm, its parts, and a start, as multiples of plain PyJWT.

    uv run python benchmarks/authorizer.py

Times are processor time of this process, the least of several rounds, so that a busy machine changes them
little. "Plain" is `jwt.decode` with the key in hand: the signature, and no decision. The user pool is in
memory: what a real one adds is one round trip each half minute and token.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from bellwether.handlers.api_clients import ApiClients
from bellwether.handlers.authorizer import Parts, authorize
from bellwether.handlers.logins import Logins
from bellwether.handlers.tokens import KeySet, TokenVerifier

ISSUER, CLIENT = "https://cognito-idp.eu-central-2.amazonaws.com/eu-central-2_pool", "client"
ROUNDS, CALLS = 7, 300
STARTS = 5
_START = "import time; import bellwether.handlers.authorizer; print(time.process_time())"
_BARE = "import time; import jwt, cryptography.hazmat.primitives.asymmetric.rsa; print(time.process_time())"


def least(work: Callable[[], Any], calls: int = CALLS) -> float:
    """Processor seconds of one call, the least of several rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(calls):
            work()
        found.append((time.process_time() - began) / calls)
    return min(found)


def started(program: str) -> float:
    """Processor seconds of a fresh interpreter that runs the program, the least of several."""
    command = [sys.executable, "-c", program]
    return min(
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(STARTS)
    )


def main() -> None:
    """Measures and prints one JSON document."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    keys = json.dumps({"keys": [{**public, "kid": "one", "use": "sig"}]}).encode()
    claims = {
        "sub": "5e6f",
        "iss": ISSUER,
        "exp": int(time.time()) + 3_600,
        "token_use": "access",
        "client_id": CLIENT,
        "cognito:groups": ["analyst"],
    }
    token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "one"})
    event = {
        "methodArn": "arn:aws:execute-api:eu-central-2:123456789012:a1b2c3d4e5/v1/GET/dashboard/summary",
        "headers": {"Authorization": f"Bearer {token}"},
    }

    def parts() -> Parts:
        return Parts(
            tokens=TokenVerifier(KeySet(lambda: keys), issuer=ISSUER, client_id=CLIENT),
            logins=Logins(lambda _token: True),
            clients=ApiClients(lambda: "{}"),
        )

    warm = parts()
    plain = least(lambda: jwt.decode(token, key.public_key(), algorithms=["RS256"], issuer=ISSUER))
    decided = least(lambda: authorize(event, warm))
    verified = least(lambda: warm.tokens.user(token))
    cold = least(lambda: authorize(event, parts()), calls=50)
    bare, start = started(_BARE), started(_START)
    told = {
        "plain_decode_microseconds": round(plain * 1e6, 1),
        "warm_decision_microseconds": round(decided * 1e6, 1),
        "warm_decision_over_plain": round(decided / plain, 2),
        "verification_over_plain": round(verified / plain, 2),
        "first_decision_microseconds": round(cold * 1e6, 1),
        "first_decision_over_plain": round(cold / plain, 2),
        "imports_milliseconds": round(start * 1e3, 1),
        "imports_over_those_of_pyjwt": round(start / bare, 2),
        "python": sys.version.split()[0],
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
