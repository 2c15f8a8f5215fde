"""Takes every rule out of a network's default security group, which CloudFormation cannot do itself.

It is uploaded as inline code, alone, so it imports nothing but what the runtime has.
"""

import json
from typing import Any
from urllib.request import Request, urlopen

import boto3


def handler(event: dict[str, Any], _context: Any) -> None:
    """Sends exactly one answer. A deletion changes nothing: the group goes with its network."""
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer["PhysicalResourceId"] = group = event["ResourceProperties"]["Group"]
    try:
        if event["RequestType"] != "Delete":
            close(group)
        answer["Status"] = "SUCCESS"
    except Exception as fault:  # noqa: BLE001  CloudFormation would wait for an answer until its time limit
        answer |= {"Status": "FAILED", "Reason": str(fault)[:500]}
    print(json.dumps({"message": "answered", "status": answer["Status"], "reason": answer.get("Reason")}))
    body = json.dumps(answer).encode()
    request = Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    urlopen(request, timeout=30).close()  # noqa: S310


def close(group: str) -> None:
    """Revokes what lets anything in or out; safe to repeat."""
    client = boto3.client("ec2")
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = client.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    by_direction: dict[bool, list[str]] = {True: [], False: []}
    for rule in rules:
        by_direction[rule["IsEgress"]].append(rule["SecurityGroupRuleId"])
    if outward := by_direction[True]:
        client.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=outward)
    if inward := by_direction[False]:
        client.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=inward)
