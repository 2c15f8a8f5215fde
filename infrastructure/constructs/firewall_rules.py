"""Rules of the web application firewalls: in front of the API's stage, and at the edge."""

from collections.abc import Sequence

from aws_cdk import aws_wafv2 as wafv2

from infrastructure.routes import ROUTES, Route
from infrastructure.settings import API_VERSION

Rule = wafv2.CfnWebACL.RuleProperty
Statement = wafv2.CfnWebACL.StatementProperty

EDGE_HEADER = "x-bellwether-edge"
"""The edge names itself to the API's firewall with a secret in this header."""
LONGEST_WORDS = 16_384
"""Bytes; the firewall sees no more of a body than this anyway."""

_BLOCK = wafv2.CfnWebACL.RuleActionProperty(block={})
_COUNT = wafv2.CfnWebACL.RuleActionProperty(count={})
_AS_SENT = [wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")]
_KEY = wafv2.CfnWebACL.RateBasedStatementCustomKeyProperty
_ADDRESS_AND_PATH = [
    _KEY(ip={}),
    _KEY(uri_path=wafv2.CfnWebACL.RateLimitUriPathProperty(text_transformations=_AS_SENT)),
]
_WHOLE_BODY = wafv2.CfnWebACL.FieldToMatchProperty(
    body=wafv2.CfnWebACL.BodyProperty(oversize_handling="MATCH")
)


class Rules:
    """Rules in the order they are asked; each is a metric `PREFIX-NAME`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.made: list[Rule] = []

    def limit(self, name: str, requests: int, scope: Statement | None = None) -> None:
        """Blocks an address that makes more than `requests` in five minutes, of those in `scope`."""
        counted = wafv2.CfnWebACL.RateBasedStatementProperty(
            limit=requests, aggregate_key_type="IP", evaluation_window_sec=300, scope_down_statement=scope
        )
        self._add(name, Statement(rate_based_statement=counted), action=_BLOCK)

    def limit_each_route(self, but: Statement | None = None) -> None:
        """Each route's own limit per address, for requests that `but` does not match.

        A list may have ten rules that count, so there is one for each limit: it counts every address and path
        by itself, on the paths that have this limit.
        """
        for limit in sorted({row.per_address for row in ROUTES}):
            where = either([on_route(row) for row in ROUTES if row.per_address == limit])
            counted = wafv2.CfnWebACL.RateBasedStatementProperty(
                limit=limit,
                aggregate_key_type="CUSTOM_KEYS",
                custom_keys=_ADDRESS_AND_PATH,
                evaluation_window_sec=300,
                scope_down_statement=both([where, *([negated(but)] if but else [])]),
            )
            statement = Statement(rate_based_statement=counted)
            self._add(f"{limit}-per-address-and-route", statement, action=_BLOCK)

    def bound_bodies(self) -> None:
        """Blocks bodies over 16 KB where a request is a few words."""
        large = Statement(
            size_constraint_statement=wafv2.CfnWebACL.SizeConstraintStatementProperty(
                comparison_operator="GT",
                size=LONGEST_WORDS,
                field_to_match=_WHOLE_BODY,
                text_transformations=_AS_SENT,
            )
        )
        where = either([on_route(row) for row in ROUTES if row.few_words])
        self._add("bodies-of-few-words", both([where, large]), action=_BLOCK)

    def managed(self, name: str, counted: Sequence[str] = ()) -> None:
        """A rule group of AWS; the rules in `counted` are counted instead of obeyed."""
        overrides = [
            wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=_COUNT) for rule in counted
        ]
        group = wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS", name=name, rule_action_overrides=overrides or None
        )
        self._add(name, Statement(managed_rule_group_statement=group), action=None)

    def _add(
        self, name: str, statement: Statement, *, action: wafv2.CfnWebACL.RuleActionProperty | None
    ) -> None:
        obeyed = wafv2.CfnWebACL.OverrideActionProperty(none={}) if action is None else None
        self.made.append(
            Rule(
                name=name,
                priority=len(self.made),
                action=action,
                override_action=obeyed,
                statement=statement,
                visibility_config=seen(f"{self._prefix}-{name}"),
            )
        )


def seen(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """A metric of that name, and samples of requests."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, sampled_requests_enabled=True, metric_name=name
    )


def on_route(row: Route) -> Statement:
    """Requests to a route, by its path: no path has two methods."""
    return matches(f"/{API_VERSION}{row.path}", wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}))


def from_edge(secret: str) -> Statement:
    """Requests the edge passed on. They come from its addresses, and it has limited them itself."""
    return matches(secret, wafv2.CfnWebACL.FieldToMatchProperty(single_header={"Name": EDGE_HEADER}))


def matches(text: str, field: wafv2.CfnWebACL.FieldToMatchProperty) -> Statement:
    """Requests whose field is exactly this text."""
    return Statement(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            search_string=text,
            field_to_match=field,
            positional_constraint="EXACTLY",
            text_transformations=_AS_SENT,
        )
    )


def negated(statement: Statement) -> Statement:
    """Requests the statement does not match."""
    return Statement(not_statement=wafv2.CfnWebACL.NotStatementProperty(statement=statement))


def either(statements: Sequence[Statement]) -> Statement:
    """Requests any of the statements matches."""
    if len(statements) == 1:
        return statements[0]
    return Statement(or_statement=wafv2.CfnWebACL.OrStatementProperty(statements=list(statements)))


def both(statements: Sequence[Statement]) -> Statement:
    """Requests all the statements match."""
    if len(statements) == 1:
        return statements[0]
    return Statement(and_statement=wafv2.CfnWebACL.AndStatementProperty(statements=list(statements)))
