"""Usage plans: what people together, and each machine, may use in a day."""

from collections.abc import Mapping

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infrastructure.settings import StageSettings


class UsagePlans(Construct):
    """One plan for people and one for machines.

    The keys of the plans are no secrets and open nothing: the API takes them from the authorizer
    (`usageIdentifierKey`), never from a caller. Who a caller is, the authorizer decides by token or by the
    digest of the key the caller sent; these keys only say on whose account the request is counted.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        methods: Mapping[str, apigateway.Method],
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._api = api
        self._prefix = settings.prefix
        people = self._plan("People", settings.daily_requests["people"], settings, methods)
        self._count(people, "people")
        machines = self._plan("Machines", settings.daily_requests["machines"], settings, methods)
        for client in settings.api_clients:
            self._count(machines, f"machine-{client}")

    def _plan(
        self, name: str, daily: int, settings: StageSettings, methods: Mapping[str, apigateway.Method]
    ) -> apigateway.UsagePlan:
        rate, burst = settings.api_throttle.rate / 2, settings.api_throttle.burst // 2
        plan = self._api.add_usage_plan(
            name,
            description=f"{name} of {settings.prefix}",
            throttle=apigateway.ThrottleSettings(rate_limit=rate, burst_limit=burst),
            quota=apigateway.QuotaSettings(limit=daily, period=apigateway.Period.DAY),
        )
        plan.add_api_stage(
            stage=self._api.deployment_stage,
            throttle=[
                apigateway.ThrottlingPerMethod(
                    method=methods["POST /evaluate"],
                    throttle=apigateway.ThrottleSettings(rate_limit=1, burst_limit=2),
                )
            ],
        )
        return plan

    def _count(self, plan: apigateway.UsagePlan, caller: str) -> None:
        value = f"{self._prefix}-{caller}"
        key = self._api.add_api_key(
            f"{''.join(part.capitalize() for part in caller.split('-'))}Key",
            value=value,
            description=f"Counts the requests of {caller}; not a credential",
        )
        plan.add_api_key(key)
