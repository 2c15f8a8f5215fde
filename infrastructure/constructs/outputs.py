"""Stack outputs: the names other programs find the desk by."""

from aws_cdk import CfnOutput, Stack


def publish(stack: Stack, name: str, value: str, description: str) -> None:
    """An output named in CamelCase (`lake_bucket` becomes `LakeBucket`); `infrastructure-outputs.json` lists
    it.
    """
    construct_id = output_name(name)
    CfnOutput(stack, f"Out{construct_id}", value=value, description=description).override_logical_id(
        construct_id
    )


def output_name(name: str) -> str:
    """`lake_bucket` as `LakeBucket`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
