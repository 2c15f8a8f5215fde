"""What the scanners say of every function, and why it stays so."""

from aws_cdk import aws_lambda as lambda_

from infrastructure.constructs.acknowledged import accept


def accept_function_findings(function: lambda_.Function, *, in_network: bool) -> None:
    """Accepts on a function what was decided for all of them."""
    _accept_everywhere(function)
    accept(
        function,
        "Whoever waits for the answer hears of a failure. Where nobody waits, the queue, the stream or the "
        "schedule names the queue that failures end in; a test walks through all of them.",
        "Serverless-LambdaDLQ",
        "NIST.800.53.R5-LambdaDLQ",
        "CKV_AWS_116",
    )
    accept_environment(function)
    if not in_network:
        accept(
            function,
            "It calls nobody but AWS's services, with a role that reaches nothing else, or stands by for a "
            "fail-over, which does without the network; see the stage's settings.",
            "NIST.800.53.R5-LambdaInsideVPC",
            "CKV_AWS_117",
        )


def accept_deployment_findings(function: lambda_.Function) -> None:
    """Accepts on a function that CloudFormation calls what was decided for all of them."""
    _accept_everywhere(function)
    accept(
        function,
        "CloudFormation waits for its answer while a stack is deployed, and fails without one.",
        "Serverless-LambdaDLQ",
        "NIST.800.53.R5-LambdaDLQ",
        "CKV_AWS_116",
        "Serverless-LambdaTracing",
    )
    accept(
        function,
        "It runs while stacks are deployed, also before there is a network, and answers to an address of "
        "CloudFormation's.",
        "NIST.800.53.R5-LambdaInsideVPC",
        "CKV_AWS_117",
    )


def accept_environment(function: lambda_.Function) -> None:
    """Accepts on a function that has an environment how that is encrypted."""
    accept(
        function,
        "The environment holds names and addresses; Lambda encrypts it with its own key. A customer key "
        "would add a call to each cold start and keep nothing secret.",
        "CKV_AWS_173",
    )


def _accept_everywhere(function: lambda_.Function) -> None:
    accept(
        function,
        "Python 3.13 is what the layer's wheels are built for and what the tests run on.",
        "AwsSolutions-L1",
        "Serverless-LambdaLatestVersion",
    )
