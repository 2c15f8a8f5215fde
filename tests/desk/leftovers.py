"""What an engine still holds, kind by kind, as each service lists it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Client = Callable[[str], Any]

LISTS: Mapping[str, tuple[str, str, str, str]] = {
    "tables": ("dynamodb", "list_tables", "TableNames", ""),
    "backups": ("dynamodb", "list_backups", "BackupSummaries", "BackupName"),
    "buckets": ("s3", "list_buckets", "Buckets", "Name"),
    "functions": ("lambda", "list_functions", "Functions", "FunctionName"),
    "layers": ("lambda", "list_layers", "Layers", "LayerName"),
    "mappings": ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "queues": ("sqs", "list_queues", "QueueUrls", ""),
    "topics": ("sns", "list_topics", "Topics", "TopicArn"),
    "roles": ("iam", "list_roles", "Roles", "RoleName"),
    "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "secrets": ("secretsmanager", "list_secrets", "SecretList", "Name"),
    "aliases of keys": ("kms", "list_aliases", "Aliases", "AliasName"),
    "schedules": ("scheduler", "list_schedules", "Schedules", "Name"),
    "schedule groups": ("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
    "rules": ("events", "list_rules", "Rules", "Name"),
    "REST APIs": ("apigateway", "get_rest_apis", "items", "name"),
    "API keys": ("apigateway", "get_api_keys", "items", "name"),
    "usage plans": ("apigateway", "get_usage_plans", "items", "name"),
    "socket APIs": ("apigatewayv2", "get_apis", "Items", "Name"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "parameters": ("ssm", "describe_parameters", "Parameters", "Name"),
}
"""kind -> service, call, member of the answer, member of an entry that names it"""

PROVIDED = ("alias/aws/", "default", "AWSServiceRole", "cdk-", "/cdk-bootstrap/")
"""Beginnings of names that are AWS's own, or of the bootstrap that every stage and app shares."""


def leftovers(client: Client) -> dict[str, list[str]]:
    """Names by kind, without what AWS or the bootstrap provides; kinds with nothing left are not in it."""
    found = {kind: sorted(_listed(client, *how)) for kind, how in LISTS.items()}
    found["user pools"] = [
        pool["Name"] for pool in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    ]
    found["keys not pending deletion"] = sorted(_keys(client("kms")))
    found["stacks"] = sorted(_stacks(client("cloudformation")))
    return {kind: names for kind, names in found.items() if names}


def _listed(client: Client, service: str, call: str, member: str, name: str) -> Iterator[str]:
    for entry in getattr(client(service), call)().get(member) or ():
        told = str(entry[name] if name else entry)
        if not told.rpartition(":")[2].rpartition("/")[2].startswith(PROVIDED) and not told.startswith(
            PROVIDED
        ):
            yield told


def _keys(kms: Any) -> Iterator[str]:
    for key in kms.list_keys()["Keys"]:
        told = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if told["KeyState"] != "PendingDeletion" and told.get("KeyManager") != "AWS":
            yield f"{key['KeyId']} {told['Description']}"


def _stacks(cloudformation: Any) -> Iterator[str]:
    for stack in cloudformation.describe_stacks()["Stacks"]:
        if stack["StackName"] != "CDKToolkit" and stack["StackStatus"] != "DELETE_COMPLETE":
            yield f"{stack['StackName']} {stack['StackStatus']}"
