"""What the owner of a desk may do directly: AWS clients with the owner's own credentials.

On the local desk these are the engine's root credentials, on a deployed stage the usual chain (profile,
environment, SSO). Nothing here goes through the API, so none of its roles apply.
"""

from typing import TYPE_CHECKING, Any

from bellwether.cli.failures import NotRunning, Refused
from bellwether.cli.stage import Stage

if TYPE_CHECKING:
    from boto3.session import Session as AwsSession

_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}


def owner_session(stage: Stage) -> "AwsSession":
    """An AWS session with the owner's credentials."""
    import boto3

    if not stage.is_local:
        return boto3.session.Session(region_name=stage.region)
    from bellwether.desk.aws import ROOT_KEY

    return boto3.session.Session(
        aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY, region_name=stage.region
    )


def owner_client(stage: Stage, service: str) -> Any:
    """A client of one AWS service."""
    from botocore.config import Config

    config = Config(retries={"max_attempts": 5, "mode": "standard"}, connect_timeout=5, read_timeout=60)
    return owner_session(stage).client(  # type: ignore[call-overload]
        service, endpoint_url=stage.endpoint_url, config=config
    )


def aws_failure(fault: Exception, stage: Stage) -> Exception:
    """What an AWS error means for the person at the keyboard; an error of another kind is given back."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    if isinstance(fault, NoCredentialsError | PartialCredentialsError):
        return Refused(
            f"No AWS credentials for stage {stage.name} were found.",
            title="No credentials",
            hint="Set AWS_PROFILE, or sign in with `aws sso login`.",
        )
    if isinstance(fault, ClientError):
        error = fault.response.get("Error", {})
        code, message = error.get("Code", ""), error.get("Message", "")
        if code in _DENIED:
            return Refused(f"{fault.operation_name}: {message or code}", title="AWS refused it")
        if code in _EXPIRED:
            return Refused("The AWS credentials have expired or are wrong.", title="AWS refused it")
        return NotRunning(f"{fault.operation_name}: {code} {message}".strip(), title="AWS answered an error")
    if isinstance(fault, BotoCoreError):
        return NotRunning(str(fault), title="AWS cannot be reached", hint="bellwether status")
    return fault
