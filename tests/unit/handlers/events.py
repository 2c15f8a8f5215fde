"""Events as the services really send them, for handlers under test."""

import base64
import json
from typing import Any

ARN = "arn:aws:execute-api:eu-central-2:123456789012:a1b2c3d4e5"


class Context:
    """What of Lambda's context object handlers look at."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "bellwether"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-2:123456789012:function:bellwether"

    def __init__(self, milliseconds: int = 29_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def rest_event(
    method: str,
    route: str,
    *,
    body: Any = None,
    content: str | bytes | None = None,
    roles: str | None = "analyst",
    username: str = "5e6f-analyst",
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A REST API (v1) proxy event; bytes as `content` come base64-encoded, as binary media types do."""
    sent = {"Host": "a1b2c3d4e5.execute-api.eu-central-2.amazonaws.com", "Accept": "*/*", **(headers or {})}
    if body is not None:
        content = json.dumps(body)
        sent.setdefault("Content-Type", "application/json")
    authorizer = None if roles is None else {"username": username, "roles": roles, "principalId": username}
    return {
        "resource": f"/v1{route}",
        "path": f"/v1{route}",
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "abc123",
            "resourcePath": f"/v1{route}",
            "httpMethod": method,
            "path": f"/v1{route}",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "test",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "tests"},
            "apiId": "a1b2c3d4e5",
            **({"authorizer": authorizer} if authorizer else {}),
        },
        "body": base64.b64encode(content).decode() if isinstance(content, bytes) else content,
        "isBase64Encoded": isinstance(content, bytes),
    }


def authorizer_event(
    method: str = "GET",
    route: str = "/dashboard/summary",
    headers: dict[str, str] | None = None,
    *,
    stage: str = "test",
    version: str = "/v1",
) -> dict[str, Any]:
    """What a REQUEST authorizer of a REST API is asked."""
    return {
        "type": "REQUEST",
        "methodArn": f"{ARN}/{stage}/{method}{version}{route}",
        "resource": f"{version}{route}",
        "path": f"{version}{route}",
        "httpMethod": method,
        "headers": headers or {},
        "queryStringParameters": None,
        "requestContext": {"stage": stage, "apiId": "a1b2c3d4e5", "requestId": "r-1"},
    }


def connect_event(
    *, headers: dict[str, str] | None = None, query: dict[str, str] | None = None, roles: str = "viewer"
) -> dict[str, Any]:
    """`$connect` of a WebSocket API, as the route's function gets it."""
    return {
        "headers": headers or {},
        "multiValueHeaders": {},
        "queryStringParameters": query,
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "connectionId": "L0SM9cOFvHcCIhw=",
            "requestId": "L0SM9cO",
            "stage": "test",
            "apiId": "w1x2y3z4",
            "connectedAt": 1_790_000_000_000,
            "authorizer": {"username": "5e6f-viewer", "roles": roles, "principalId": "5e6f-viewer"},
        },
        "isBase64Encoded": False,
    }


def message_event(body: str, connection_id: str = "L0SM9cOFvHcCIhw=") -> dict[str, Any]:
    """A message that came to `$default`."""
    return {
        "requestContext": {
            "routeKey": "$default",
            "eventType": "MESSAGE",
            "connectionId": connection_id,
            "messageId": "L0SNLdD",
            "requestId": "L0SNLdE",
            "stage": "test",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def disconnect_event(connection_id: str = "L0SM9cOFvHcCIhw=") -> dict[str, Any]:
    """`$disconnect`."""
    context = {"routeKey": "$disconnect", "eventType": "DISCONNECT", "connectionId": connection_id}
    return {"requestContext": {**context, "disconnectStatusCode": 1001}, "body": "", "isBase64Encoded": False}


def sqs_event(*bodies: str, fifo: bool = False) -> dict[str, Any]:
    """Messages as an event source mapping delivers them, with ids `message-0`, `message-1`…"""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "AQEB",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1790000000000",
                    **({"MessageGroupId": "ledger", "SequenceNumber": str(number)} if fifo else {}),
                },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-2:123456789012:queue",
                "awsRegion": "eu-central-2",
            }
            for number, body in enumerate(bodies)
        ]
    }


def stream_event(*images: dict[str, Any], event_name: str = "INSERT") -> dict[str, Any]:
    """Records of a table's stream with NEW_IMAGE, with sequence numbers `100`, `101`…"""
    return {
        "Records": [
            {
                "eventID": f"e{number}",
                "eventName": event_name,
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {},
                    "NewImage": image,
                    "SequenceNumber": str(100 + number),
                    "StreamViewType": "NEW_IMAGE",
                },
            }
            for number, image in enumerate(images)
        ]
    }
