"""The functions of one stack, which share its code asset and its layer."""

from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infrastructure.constructs.function import DeskFunction
from infrastructure.constructs.network import DeskNetwork
from infrastructure.functions import FUNCTIONS
from infrastructure.grants import Resources
from infrastructure.packaging import Layer, function_code
from infrastructure.settings import StageSettings


class FunctionSet(Construct):
    """Builds the named rows of the functions' table. `values` are the values of environment names.

    Each stack has a layer version of its own (of the same asset): a weak reference to another stack's would
    not notice when that one is replaced.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Sequence[str],
        settings: StageSettings,
        layer: Layer,
        given: Resources,
        values: Mapping[str, str],
        network: DeskNetwork | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        dependencies = lambda_.LayerVersion(
            self,
            "Dependencies",
            description="Locked dependencies of the functions",
            code=layer.code(),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            removal_policy=RemovalPolicy.DESTROY,
        )
        code = function_code()
        self.by_name = {
            name: DeskFunction(
                self,
                "".join(part.capitalize() for part in name.split("_")),
                name=name,
                row=FUNCTIONS[name],
                settings=settings,
                code=code,
                layer=dependencies,
                given=given,
                values=values,
                network=network,
            )
            for name in names
        }

    def __getitem__(self, name: str) -> DeskFunction:
        """The function of that name. Raises `KeyError`."""
        return self.by_name[name]
