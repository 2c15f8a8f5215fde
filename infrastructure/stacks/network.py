"""The network, where the stage has one."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.network import DeskNetwork
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.service_endpoints import ServiceEndpoints
from infrastructure.settings import StageSettings
from infrastructure.stacks.environment import environment
from infrastructure.stacks.security import SecurityStack


class NetworkStack(Stack):
    """Subnets, ways to AWS's services, the way out, and the record of what used them."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StageSettings, security: SecurityStack
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self.network = DeskNetwork(self, "Network", log_key=security.log_key, settings=settings)
        ServiceEndpoints(
            self,
            "Endpoints",
            vpc=self.network.vpc,
            group=self.network.endpoint_group,
            secrets=security.secrets.arns,
            settings=settings,
        )
        publish(self, "vpc_id", self.network.vpc.vpc_id, "Network of the functions")
        publish(self, "flow_log_group", self.network.flow_log.log_group_name, "Flow log of the network")
