"""Runs the function behind a custom resource and tells CloudFormation what came of it.

The library's own provider framework does the same in Node; this one needs no second runtime. It is uploaded
as inline code, alone, so it imports nothing but what the runtime has.
"""

import json
import os
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

LONGEST_REASON = 500
# The function behind may run for minutes, and a repeated invocation would run it twice.
CONFIG = Config(read_timeout=840, retries={"total_max_attempts": 1})


def handler(event: dict[str, Any], _context: Any) -> None:
    """Sends exactly one answer; whatever goes wrong in the function behind is told as FAILED."""
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer["PhysicalResourceId"] = event.get("PhysicalResourceId", event["LogicalResourceId"])
    asked = {key: value for key, value in event.items() if key != "ResponseURL"}
    try:
        answer |= {"Status": "SUCCESS", **_ask(asked)}
    except Exception as fault:  # noqa: BLE001  CloudFormation would wait for an answer until its time limit
        answer |= {"Status": "FAILED", "Reason": str(fault)[:LONGEST_REASON]}
    print(json.dumps({"message": "answered", "status": answer["Status"], "reason": answer.get("Reason")}))
    body = json.dumps(answer).encode()
    request = Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    urlopen(request, timeout=30).close()  # noqa: S310


def _ask(event: dict[str, Any]) -> dict[str, Any]:
    client = boto3.client("lambda", config=CONFIG)
    told = client.invoke(FunctionName=os.environ["FUNCTION_ARN"], Payload=json.dumps(event).encode())
    answer = json.loads(told["Payload"].read() or b"{}") or {}
    if told.get("FunctionError"):
        raise RuntimeError(answer.get("errorMessage") or "the function failed")
    return {key: answer[key] for key in ("PhysicalResourceId", "Data") if key in answer}
