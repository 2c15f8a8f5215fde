"""The web application firewall in front of the user pool."""

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.firewall_log import FirewallLog
from infrastructure.constructs.firewall_rules import Rules, seen
from infrastructure.settings import StageSettings

REQUESTS_PER_ADDRESS = 3_000
"""To the pool, in five minutes. A sign-in takes three; the authorizer's questions about logins may all come
from one address. Guessing is slower than this: the pool itself locks a user out after five wrong passwords.
"""


class PoolFirewall(Construct):
    """Addresses of ill repute and floods are turned away before the pool counts a failed password.

    Only rules over addresses: a firewall sees nothing of a user pool's requests that it could judge.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, pool: cognito.UserPool, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        rules = Rules(f"{settings.prefix}-sign-in")
        rules.limit("requests-per-address", REQUESTS_PER_ADDRESS)
        rules.managed("AWSManagedRulesAmazonIpReputationList")
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            description=f"In front of the user pool of {settings.prefix}",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=seen(f"{settings.prefix}-sign-in-all"),
            rules=rules.made,
        )
        accept(
            acl,
            "A firewall sees nothing of a user pool's requests that those rules could judge.",
            "CKV_AWS_192",
        )
        FirewallLog(self, "Log", acl=acl, settings=settings, part="-sign-in")
        wafv2.CfnWebACLAssociation(
            self, "Association", resource_arn=pool.user_pool_arn, web_acl_arn=acl.attr_arn
        )
