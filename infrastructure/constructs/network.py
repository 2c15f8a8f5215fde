"""The network the functions run in: a way to AWS's services for all, a way out for the few that need one."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.default_group import ClosedDefaultGroup
from infrastructure.constructs.network_rules import add_subnet_lists
from infrastructure.constructs.retention import RETENTION
from infrastructure.endpoints import ways_out
from infrastructure.functions import FunctionRow
from infrastructure.settings import StageSettings

_SUBNET_BITS = 24


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the network a function runs."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    group: ec2.ISecurityGroup


class DeskNetwork(Construct):
    """Subnets without a route to the internet, and others whose only route out is a NAT gateway."""

    def __init__(
        self, scope: Construct, construct_id: str, *, log_key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        kinds = {
            "Public": ec2.SubnetType.PUBLIC,
            "Egress": ec2.SubnetType.PRIVATE_WITH_EGRESS,
            "Isolated": ec2.SubnetType.PRIVATE_ISOLATED,
        }
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.network_range),
            availability_zones=[f"{settings.region}{zone}" for zone in settings.zones],
            nat_gateways=settings.nat_gateways,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name=name,
                    subnet_type=kind,
                    cidr_mask=_SUBNET_BITS,
                    map_public_ip_on_launch=False if name == "Public" else None,
                )
                for name, kind in kinds.items()
            ],
        )
        self._accept_findings()
        add_subnet_lists(self, self.vpc, settings.network_range)
        self._watch(log_key, settings)
        ClosedDefaultGroup(self, "DefaultGroup", vpc=self.vpc, log_key=log_key, settings=settings)
        self.endpoint_group = self._group("EndpointGroup", "interface endpoints")
        self.isolated_group = self._calling("IsolatedGroup", "functions that reach services of AWS alone")
        self.egress_group = self._calling("EgressGroup", "functions that reach the internet")
        self.provider_group = self._calling("ProviderGroup", "functions that read providers")
        # Some feeds are still served without TLS; what a provider says is never trusted for its transport.
        self.provider_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(80), "feeds without TLS")

    def place(self, row: FunctionRow) -> Place:
        """The subnets and the group of a function, by what it has to reach."""
        out = ways_out(row)
        if not out:
            isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            return Place(vpc=self.vpc, subnets=isolated, group=self.isolated_group)
        return Place(
            vpc=self.vpc,
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            group=self.provider_group if "providers" in out else self.egress_group,
        )

    def _accept_findings(self) -> None:
        accept(
            self.vpc.node.default_child or self.vpc,
            "A resource beside it takes the group's rules out; CloudFormation itself could not.",
            "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
        )
        for subnet in [*self.vpc.public_subnets, *self.vpc.private_subnets, *self.vpc.isolated_subnets]:
            accept(
                subnet,
                "The settings name the zones; any two of the region would make a stage's network depend on "
                "the account.",
                "W3010",
            )
        for subnet in self.vpc.public_subnets:
            accept(
                subnet.node.find_child("DefaultRoute"),
                "The way out of the NAT gateways; a public subnet holds nothing else, and hands out no "
                "public address.",
                "NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW",
            )

    def _group(self, construct_id: str, purpose: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, construct_id, vpc=self.vpc, description=f"Of {purpose}", allow_all_outbound=False
        )

    def _calling(self, construct_id: str, purpose: str) -> ec2.SecurityGroup:
        """Nobody calls them; they call by TLS. How far that leads, the subnet's routes decide."""
        group = self._group(construct_id, purpose)
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "TLS")
        self.endpoint_group.add_ingress_rule(group, ec2.Port.tcp(443), f"From {purpose}")
        return group

    def _watch(self, log_key: kms.IKey, settings: StageSettings) -> None:
        """Every connection, allowed or not, is in the flow log."""
        self.flow_log = logs.LogGroup(
            self,
            "FlowLog",
            encryption_key=log_key,
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            self,
            "FlowLogRole",
            description=f"{settings.prefix}: writes the network's flow log",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
        )
        self.vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(self.flow_log, role),
            traffic_type=ec2.FlowLogTrafficType.ALL,
        )
