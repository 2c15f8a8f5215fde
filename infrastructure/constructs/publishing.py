"""Who may publish to a topic."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns


def let_publish(topic: sns.Topic, *services: str) -> None:
    """Lets AWS services publish to a topic for this account.

    A topic with a policy of its own (the one that asks for TLS) no longer has the one AWS gives by default,
    which is what alarms would notify through.
    """
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Publish",
            principals=[iam.ServicePrincipal(service) for service in services],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(topic).account}},
        )
    )
