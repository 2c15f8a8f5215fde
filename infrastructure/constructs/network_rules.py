"""Network access lists: what may cross the border of each kind of subnet, whatever a security group says.

They know no connections, so answers need rules of their own. Clients take their port from 1024 upwards
(a NAT gateway really uses all of them); 3389 is left out, because a list that opens it to everybody is what
scanners look for, and a connection that happens to get that port is simply tried again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infrastructure.constructs.acknowledged import acknowledge

HTTPS = (443, 443)
HTTP = (80, 80)
ANSWERS = ((1024, 3388), (3390, 65_535))
EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Crossing:
    """Ports that may be reached from (inward) or at (outward) a range of addresses."""

    ports: tuple[int, int]
    addresses: str


class SubnetList(Construct):
    """The access list of one kind of subnet: what is listed may cross, nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        inward: Sequence[Crossing],
        outward: Sequence[Crossing],
    ) -> None:
        super().__init__(scope, construct_id)
        self._acl = ec2.NetworkAcl(self, "List", vpc=vpc, subnet_selection=subnets)
        acknowledge(self._acl, VPC3="A second border, whose few rules one module holds and a test compares.")
        self._add("In", ec2.TrafficDirection.INGRESS, inward)
        self._add("Out", ec2.TrafficDirection.EGRESS, outward)

    def _add(self, name: str, direction: ec2.TrafficDirection, crossings: Sequence[Crossing]) -> None:
        for number, crossing in enumerate(crossings, start=1):
            self._acl.add_entry(
                f"{name}{number}",
                rule_number=100 * number,
                direction=direction,
                cidr=ec2.AclCidr.ipv4(crossing.addresses),
                traffic=ec2.AclTraffic.tcp_port_range(*crossing.ports),
                rule_action=ec2.Action.ALLOW,
            )


def answers(addresses: str) -> list[Crossing]:
    """Answers coming from, or going to, a range of addresses."""
    return [Crossing(ports, addresses) for ports in ANSWERS]


def add_subnet_lists(scope: Construct, vpc: ec2.IVpc, inside: str) -> None:
    """The lists of the three kinds of subnets; `inside` is the network's own range."""
    SubnetList(
        scope,
        "IsolatedList",
        vpc=vpc,
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        inward=[Crossing(HTTPS, inside), *answers(EVERYWHERE)],
        outward=[Crossing(HTTPS, EVERYWHERE), *answers(inside)],
    )
    SubnetList(
        scope,
        "EgressList",
        vpc=vpc,
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        inward=answers(EVERYWHERE),
        outward=[Crossing(HTTPS, EVERYWHERE), Crossing(HTTP, EVERYWHERE)],
    )
    SubnetList(
        scope,
        "PublicList",
        vpc=vpc,
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
        inward=[Crossing(HTTPS, inside), Crossing(HTTP, inside), *answers(EVERYWHERE)],
        outward=[Crossing(HTTPS, EVERYWHERE), Crossing(HTTP, EVERYWHERE), *answers(inside)],
    )
