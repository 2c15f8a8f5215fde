"""Dashboard and API under one name, near their visitors."""

from aws_cdk import Environment, Stack
from constructs import Construct

from infrastructure.constructs.distribution import EdgeDistribution
from infrastructure.constructs.edge_firewall import EdgeFirewall
from infrastructure.constructs.edge_log import EdgeLog
from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.site_bucket import SiteBucket
from infrastructure.constructs.site_files import SiteFiles
from infrastructure.constructs.site_headers import SiteHeaders
from infrastructure.setting_checks import EDGE_REGION
from infrastructure.settings import API_VERSION, StageSettings
from infrastructure.stacks.api import ApiStack
from infrastructure.stacks.auth import AuthStack


class EdgeStack(Stack):
    """CloudFront, its firewall and the dashboard's files, all in us-east-1.

    CloudFront takes its firewall and its certificate from there alone; with the files beside them nothing of
    this stack crosses regions but the addresses it reads from the API's and the users' stacks. The files are
    the repository's: no data of the desk leaves its region.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        auth: AuthStack,
        api: ApiStack,
    ) -> None:
        super().__init__(scope, construct_id, env=Environment(region=EDGE_REGION))
        self.key = CustomerKey(
            self, "Edge", purpose="logs and files of the edge", settings=settings, through=("s3",)
        )
        self.key.let_logs(settings)
        self.site = SiteBucket(self, "Site", key=self.key, settings=settings)
        self.firewall = EdgeFirewall(self, "Firewall", key=self.key, settings=settings)
        sign_in = f"https://cognito-idp.{settings.region}.amazonaws.com"
        headers = SiteHeaders(
            self, "Headers", connect=[sign_in, api.socket.url.removesuffix(f"/{API_VERSION}")]
        )
        self.front = EdgeDistribution(
            self,
            "Front",
            site=self.site.bucket,
            api_host=api.rest.host,
            edge=api.edge_reference or "",
            headers=headers,
            acl_arn=self.firewall.acl.attr_arn,
            settings=settings,
        )
        distribution = self.front.distribution
        EdgeLog(self, "Requests", distribution=distribution, key=self.key, settings=settings)
        SiteFiles(
            self,
            "Files",
            bucket=self.site.bucket,
            key=self.key,
            distribution=distribution,
            settings=settings,
            config={
                "stage": settings.name,
                "region": settings.region,
                "user_pool_id": auth.users.pool.user_pool_id,
                "user_pool_client_id": auth.users.client.user_pool_client_id,
                "api_url": f"/{API_VERSION}",
                "ws_url": api.socket.url,
                "auth_url": sign_in,
            },
        )
        own = settings.dashboard_domain
        publish(
            self,
            "dashboard_url",
            f"https://{own.name if own else distribution.distribution_domain_name}",
            "Address of the dashboard",
        )
        publish(
            self,
            "edge_domain",
            distribution.distribution_domain_name,
            "Where a DNS record of the dashboard's own name has to point",
        )
