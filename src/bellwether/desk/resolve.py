"""Resolves a template's values against what is deployed: the few functions such properties use."""

import re
from typing import Any

from .aws import ACCOUNT
from .engine import REGION
from .stacks import Deployed, Resource

_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{id}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::S3::Bucket": "arn:aws:s3:::{id}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
}
_VARIABLE = re.compile(r"\$\{([^}!]+)\}")


class Unresolved(Exception):
    """The value cannot be known from what is deployed."""


def resolve(value: Any, stack: str, deployed: Deployed) -> Any:
    """A property's value with its intrinsic functions replaced. Raises Unresolved."""
    if isinstance(value, list):
        return [resolve(item, stack, deployed) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Ref" or name.startswith("Fn::"):
            return _function(name, argument, stack, deployed)
    return {key: resolve(item, stack, deployed) for key, item in value.items()}


def _function(name: str, argument: Any, stack: str, deployed: Deployed) -> Any:
    match name:
        case "Ref":
            return _ref(argument, stack, deployed)
        case "Fn::GetAtt":
            return _attribute(argument, stack, deployed)
        case "Fn::Join":
            return str(argument[0]).join(str(resolve(item, stack, deployed)) for item in argument[1])
        case "Fn::Sub" if isinstance(argument, str):
            return _VARIABLE.sub(lambda found: str(_ref(found[1], stack, deployed)), argument)
        case "Fn::ImportValue":
            return _known(deployed.exports.get(resolve(argument, stack, deployed)), argument)
        case "Fn::GetStackOutput":
            return _stack_output(argument, stack, deployed)
        case _:
            raise Unresolved(name)


def _ref(name: str, stack: str, deployed: Deployed) -> Any:
    pseudo = _PSEUDO.get(name, stack if name == "AWS::StackName" else None)
    return _known(pseudo or deployed.physical(stack, name), name)


def _attribute(argument: Any, stack: str, deployed: Deployed) -> str:
    logical, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
    resource = next((r for r in deployed.resources if (r.stack, r.logical) == (stack, logical)), None)
    if resource is None or attribute != "Arn":
        raise Unresolved(f"{logical}.{attribute}")
    return arn_of(resource)


def arn_of(resource: Resource) -> str:
    """A resource's ARN, for the types whose ARN follows from the physical id."""
    if resource.physical.startswith("arn:"):
        return resource.physical
    pattern = _known(_ARNS.get(resource.kind), resource.kind)
    return str(pattern).format(region=REGION, account=ACCOUNT, id=resource.physical)


def _stack_output(argument: Any, stack: str, deployed: Deployed) -> Any:
    target = resolve(argument.get("StackName"), stack, deployed)
    return _known(deployed.outputs.get(target, {}).get(argument.get("OutputName")), argument)


def _known(value: Any, name: Any) -> Any:
    if value is None:
        raise Unresolved(str(name))
    return value
