"""The web application firewall in front of the REST API."""

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infrastructure.constructs.firewall_log import FirewallLog
from infrastructure.constructs.firewall_rules import Rules, from_edge, negated, seen
from infrastructure.settings import API_VERSION, StageSettings

REQUESTS_PER_ADDRESS = 3_000
"""In five minutes. A collector that sends batches stays far below; a flood from one address does not get
through.
"""

# Posts quote addresses, markup and paths, and batches are large: over bodies these rules would refuse
# honest items. The handlers bound, decode and validate every body themselves.
COUNTED = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
)

_NEVER_LOGGED = ("authorization", "x-api-key")


# Machines that collect often run in somebody's data centre.
_HOSTED = ("HostingProviderIPList",)


class Firewall(Construct):
    """AWS's managed rules and limits per address, of all requests and of each route, tied to the API's stage.

    `edge` is the secret the edge names itself with, where there is one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        settings: StageSettings,
        edge: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            description=f"In front of the REST API of {settings.prefix}",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=seen(self.metric_name(settings)),
            rules=_rules(settings.prefix, edge),
        )
        stack = Stack.of(self)
        gateway = f"arn:{stack.partition}:apigateway:{stack.region}::"
        stage = f"{gateway}/restapis/{api.rest_api_id}/stages/{API_VERSION}"
        association = wafv2.CfnWebACLAssociation(
            self, "Association", resource_arn=stage, web_acl_arn=acl.attr_arn
        )
        association.node.add_dependency(api.deployment_stage)
        FirewallLog(self, "Log", acl=acl, settings=settings)

    @staticmethod
    def metric_name(settings: StageSettings) -> str:
        """What the figures of the whole list are called."""
        return f"{settings.prefix}-all"


def _rules(prefix: str, edge: str | None) -> list[wafv2.CfnWebACL.RuleProperty]:
    passed_on = from_edge(edge) if edge else None
    rules = Rules(prefix)
    rules.limit("requests-per-address", REQUESTS_PER_ADDRESS, negated(passed_on) if passed_on else None)
    rules.limit_each_route(but=passed_on)
    rules.bound_bodies()
    rules.managed("AWSManagedRulesAmazonIpReputationList")
    rules.managed("AWSManagedRulesAnonymousIpList", counted=_HOSTED)
    rules.managed("AWSManagedRulesKnownBadInputsRuleSet")
    rules.managed("AWSManagedRulesCommonRuleSet", counted=COUNTED)
    return rules.made
