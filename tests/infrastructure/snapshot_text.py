"""A template as text that shows a change where it is: valid JSON, one short value or one member a line."""

import json
import re
from typing import Any

WIDTH = 140

KEPT = ("Type", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Properties")
"""What of a resource is shown; metadata tells where it was built, not what it is."""


def masked(template: dict[str, Any]) -> dict[str, Any]:
    """The resources and outputs of a template without what changes with every change of any code.

    Those are the hashes of assets, of function versions and of API deployments.
    """
    text = json.dumps({part: template.get(part, {}) for part in ("Resources", "Outputs")}, sort_keys=True)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    text = re.sub(r"((?:CurrentVersion|Deployment)[A-Z0-9]{8})[0-9a-f]{32}", r"\1VERSION", text)
    shown: dict[str, Any] = json.loads(text)
    shown["Resources"] = {
        name: {key: body[key] for key in KEPT if key in body} for name, body in shown["Resources"].items()
    }
    return shown


def text_of(value: Any, indent: int = 0) -> str:
    """The value as JSON; what fits a line stays on it."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        members = [f"{inner}{json.dumps(key)}: {text_of(one, indent + 1)}" for key, one in value.items()]
        opening, closing = "{", "}"
    else:
        members = [inner + text_of(one, indent + 1) for one in value]
        opening, closing = "[", "]"
    return opening + "\n" + ",\n".join(members) + "\n" + " " * indent + closing
