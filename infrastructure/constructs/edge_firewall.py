"""The web application firewall at the edge."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infrastructure.constructs.firewall import COUNTED, REQUESTS_PER_ADDRESS
from infrastructure.constructs.firewall_log import FirewallLog
from infrastructure.constructs.firewall_rules import Rules, seen
from infrastructure.settings import StageSettings


class EdgeFirewall(Construct):
    """The rules of the API's firewall, asked where a visitor's own address is still known.

    Page and API together may be asked twice as often as the API alone.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        rules = Rules(f"{settings.prefix}-edge")
        rules.limit("requests-per-address", REQUESTS_PER_ADDRESS * 2)
        rules.limit_each_route()
        rules.bound_bodies()
        rules.managed("AWSManagedRulesAmazonIpReputationList")
        rules.managed("AWSManagedRulesKnownBadInputsRuleSet")
        rules.managed("AWSManagedRulesCommonRuleSet", counted=COUNTED)
        self.acl = wafv2.CfnWebACL(
            self,
            "Acl",
            description=f"At the edge of {settings.prefix}",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=seen(f"{settings.prefix}-edge-all"),
            rules=rules.made,
        )
        FirewallLog(self, "Log", acl=self.acl, settings=settings, part="-edge", key=key)
