"""Signing in to the user pool: password, first password, one-time code, refresh."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bellwether.cli.failures import NotRunning, Refused
from bellwether.cli.password_proof import PasswordProof
from bellwether.cli.sessions import Session, session_of
from bellwether.cli.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

Ask = Callable[[str, bool], str]
"""Asks the person: what for, and whether the answer stays hidden."""

_MOST_CHALLENGES = 5
_REFUSALS = {
    "NotAuthorizedException": "Username or password is wrong, or the login has ended.",
    "UserNotFoundException": "Username or password is wrong, or the login has ended.",
    "CodeMismatchException": "That code is wrong or too old.",
    "ExpiredCodeException": "That code is wrong or too old.",
    "PasswordResetRequiredException": "This password has to be set anew, with --forgot-password.",
    "UserNotConfirmedException": "This user is not confirmed yet.",
    "TooManyRequestsException": "Too many attempts; wait a while.",
    "LimitExceededException": "Too many attempts; wait a while.",
    "UserLambdaValidationException": "This password is too old: set a new one with --forgot-password.",
    "InvalidPasswordException": "The user pool does not take that password.",
}


class UserPool:
    """The user pool of a stage, spoken to as an unsigned client (no AWS credentials needed)."""

    def __init__(self, stage: Stage) -> None:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config

        self._stage = stage
        self._client_id = stage.output("UserPoolClientId", "UserPoolClient", "ClientId")
        self._pool_id = stage.output("UserPoolId", "UserPool")
        self._idp: CognitoIdentityProviderClient = boto3.client(
            "cognito-idp",
            region_name=stage.region,
            endpoint_url=stage.endpoint_url,
            config=Config(signature_version=UNSIGNED, connect_timeout=5, read_timeout=20),
        )

    def sign_in(self, name: str, username: str, password: str, ask: Ask) -> Session:
        """A new login; the password is proved and not sent, further challenges are the person's to answer.

        Raises `Refused`, `NotRunning`.
        """
        proof = PasswordProof(self._pool_id, password)
        answer = self._initiate("USER_SRP_AUTH", {"USERNAME": username, "SRP_A": proof.public})
        if answer.get("ChallengeName") == "PASSWORD_VERIFIER":
            answer = self._prove(proof, answer)
        for _ in range(_MOST_CHALLENGES):
            if result := answer.get("AuthenticationResult"):
                return session_of(name, username, result, None)
            answer = self._respond(answer, username, ask)
        raise Refused("The user pool keeps asking for more.", title="Could not log in")

    def replace_forgotten(self, username: str, ask: Ask) -> str:
        """Mails a code, asks for it and for a new password, and gives the password.

        The pool says the same whether there is such a user or not. Raises `Refused`, `NotRunning`.
        """
        self._call(lambda: self._idp.forgot_password(ClientId=self._client_id, Username=username))
        code = ask("The code that was mailed to you", False)
        password = _new_password(ask)
        self._call(
            lambda: self._idp.confirm_forgot_password(
                ClientId=self._client_id, Username=username, ConfirmationCode=code, Password=password
            )
        )
        return password

    def refresh(self, session: Session) -> Session:
        """The same login with a new token. Raises `Refused` when the login has ended."""
        if not session.refresh_token:
            raise Refused("The login has ended.", title="Logged out")
        answer = self._initiate("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": session.refresh_token})
        return session_of(
            session.name, session.username, answer["AuthenticationResult"], session.refresh_token
        )

    def revoke(self, session: Session) -> None:
        """Ends a login at the pool. Raises `Refused`, `NotRunning`."""
        token = session.refresh_token
        if token:
            self._call(lambda: self._idp.revoke_token(Token=token, ClientId=self._client_id))

    def _initiate(self, flow: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        return self._call(
            lambda: self._idp.initiate_auth(
                AuthFlow=flow,  # type: ignore[arg-type]
                ClientId=self._client_id,
                AuthParameters=dict(parameters),
            )
        )

    def _prove(self, proof: PasswordProof, answer: Mapping[str, Any]) -> dict[str, Any]:
        try:
            responses = proof.answer(answer["ChallengeParameters"])
        except (KeyError, ValueError) as fault:
            raise Refused(f"The user pool's challenge cannot be answered: {fault}.") from None
        return self._answer_challenge("PASSWORD_VERIFIER", answer.get("Session"), responses)

    def _respond(self, answer: Mapping[str, Any], username: str, ask: Ask) -> dict[str, Any]:
        challenge = str(answer.get("ChallengeName"))
        told = answer.get("ChallengeParameters", {})
        # Whoever signs in with an e-mail address is known to the pool by another name.
        responses = {"USERNAME": told.get("USER_ID_FOR_SRP") or told.get("USERNAME", username)}
        if challenge == "NEW_PASSWORD_REQUIRED":
            responses["NEW_PASSWORD"] = _new_password(ask)
        elif challenge == "SOFTWARE_TOKEN_MFA":
            responses["SOFTWARE_TOKEN_MFA_CODE"] = ask("One-time code", False)
        elif challenge == "MFA_SETUP":
            return self._set_up_mfa(answer, responses, ask)
        else:
            raise Refused(f"The user pool asks for {challenge}, which this command line cannot answer.")
        return self._answer_challenge(challenge, answer["Session"], responses)

    def _set_up_mfa(self, answer: Mapping[str, Any], responses: dict[str, str], ask: Ask) -> dict[str, Any]:
        """A new user's authenticator: shows the secret, proves the first code."""
        session = answer["Session"]
        secret = self._call(lambda: self._idp.associate_software_token(Session=session))
        prompt = f"Add the key {secret['SecretCode']} to an authenticator app; its first code"
        code = ask(prompt, False)
        proved = self._call(lambda: self._idp.verify_software_token(Session=secret["Session"], UserCode=code))
        return self._answer_challenge("MFA_SETUP", proved["Session"], responses)

    def _answer_challenge(
        self, challenge: str, session: str | None, responses: dict[str, str]
    ) -> dict[str, Any]:
        # The first challenge of a sign-in may come without a session.
        told = {"Session": session} if session else {}
        return self._call(
            lambda: self._idp.respond_to_auth_challenge(
                ClientId=self._client_id,
                ChallengeName=challenge,  # type: ignore[arg-type]
                ChallengeResponses=responses,
                **told,  # type: ignore[arg-type]
            )
        )

    def _call(self, call: Callable[[], Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = call()
        except ClientError as fault:
            code = fault.response.get("Error", {}).get("Code", "")
            detail = _REFUSALS.get(code) or fault.response.get("Error", {}).get("Message", code)
            raise Refused(detail, title="Could not log in") from None
        except BotoCoreError as fault:
            raise NotRunning(
                f"The user pool of stage {self._stage.name} does not answer ({type(fault).__name__}).",
                title="Not reachable",
                hint="bellwether status",
            ) from None
        return answer


def _new_password(ask: Ask) -> str:
    while True:
        password = ask("New password", True)
        if ask("The same again", True) == password:
            return password
