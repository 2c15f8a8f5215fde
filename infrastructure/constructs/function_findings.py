"""What the scanners say of every function, and why it stays so."""

from aws_cdk import aws_lambda as lambda_

from infrastructure.constructs.acknowledged import accept


def accept_function_findings(function: lambda_.Function) -> None:
    """Accepts on a function what was decided for all of them."""
    accept(
        function,
        "Python 3.13 is what the layer's wheels are built for and what the tests run on.",
        "AwsSolutions-L1",
        "Serverless-LambdaLatestVersion",
    )
    accept(
        function,
        "Whoever waits for the answer hears of a failure. Where nobody waits, the queue, the stream or the "
        "schedule names the queue that failures end in; a test walks through all of them.",
        "Serverless-LambdaDLQ",
        "NIST.800.53.R5-LambdaDLQ",
        "CKV_AWS_116",
    )
    accept(
        function,
        "The environment holds names and addresses; Lambda encrypts it with its own key. A customer key "
        "would add a call to each cold start and keep nothing secret.",
        "CKV_AWS_173",
    )
    accept(
        function,
        "A correlation id joins the log lines of a request over all functions and queues; the segments of a "
        "trace would end at the first queue.",
        "Serverless-LambdaTracing",
    )
    accept(
        function,
        "A function listens on no network: only AWS can invoke it, and every call of its own goes to an "
        "AWS endpoint with a role that reaches nothing else, or through the guarded client.",
        "NIST.800.53.R5-LambdaInsideVPC",
        "CKV_AWS_117",
    )
