"""The pictures (Mermaid) and tables (Markdown) of `docs/infrastructure.md`."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from infrastructure.pictures.assembly import Assembly, Place, words
from infrastructure.pictures.costs import costs
from infrastructure.pictures.tables import table

_STORES = {
    "AWS::DynamoDB::GlobalTable": "tables ",
    "AWS::DynamoDB::Table": "tables ",
    "AWS::S3::Bucket": "",
}
_QUEUE = "AWS::SQS::Queue"
_SIGNALS = Place("data", "signals_yyyymm")
"""The monthly tables are no resources of a template: they are created ahead of each month."""
_READS = ("Get", "BatchGet", "Query", "Scan", "List", "Describe")


def stacks(assembly: Assembly) -> str:
    """Which stack uses which: every arrow points to what has to be deployed first."""
    lines = ["flowchart TD"]
    for region in sorted(set(assembly.regions.values())):
        lines.append(f'    subgraph {_id(region)}["{region}"]')
        for stack in sorted(name for name, there in assembly.regions.items() if there == region):
            count = len(assembly.templates[stack].get("Resources", {}))
            lines.append(f'        {_id(stack)}["{stack}, {count} resources"]')
        lines.append("    end")
    for stack in assembly.templates:
        lines += [f"    {_id(stack)} --> {_id(other)}" for other in sorted(assembly.uses(stack))]
    return _picture(lines)


def triggers(assembly: Assembly) -> str:
    """What starts each function, and where its messages go."""
    nodes: dict[str, str] = {}
    arrows = [*_routes(assembly, nodes), *_clocks(assembly, nodes), *_sources(assembly, nodes)]
    arrows += _sends(assembly, nodes)
    return _picture(["flowchart LR", *(f"    {shape}" for shape in nodes.values()), *dict.fromkeys(arrows)])


def access(assembly: Assembly) -> str:
    """Which function reads (r) and writes (w) which table and bucket."""
    stores = [(place, _store(assembly, place)) for place, _ in assembly.resources(*_STORES)]
    rights = _rights(assembly)
    used = [
        (place, name)
        for place, name in [*stores, (_SIGNALS, _SIGNALS.logical_id)]
        if any(place in had for had in rights.values())
    ]
    rows = [["function", *(name for _, name in used)]]
    rows += [
        [function, *("".join(sorted(rights[function].get(place, ()))) for place, _ in used)]
        for function in sorted(rights)
    ]
    return table(rows)


def functions(assembly: Assembly) -> str:
    """Each function's size and limits, as deployed."""
    rows = [["function", "memory MB", "timeout s", "at most at a time", "kept warm"]]
    warm = {
        found.logical_id
        for place, properties in assembly.resources("AWS::Lambda::Alias")
        for found in assembly.references(place.stack, properties["FunctionName"])
    }
    for place, properties in assembly.resources("AWS::Lambda::Function"):
        name = assembly.functions.get(place)
        if name:
            reserved = properties.get("ReservedConcurrentExecutions", "-")
            size = [properties["MemorySize"], properties["Timeout"], reserved]
            rows.append([name, *map(str, size), "yes" if place.logical_id in warm else ""])
    return table(rows[:1] + sorted(rows[1:]))


DRAWINGS: Mapping[str, Callable[[Assembly], str]] = {
    "stacks": stacks,
    "triggers": triggers,
    "access": access,
    "functions": functions,
    "costs": costs,
}
"""By the name a document asks for it with."""


def _routes(assembly: Assembly, nodes: dict[str, str]) -> Iterator[str]:
    paths = {
        place: properties.get("PathPart", "")
        for place, properties in assembly.resources("AWS::ApiGateway::Resource")
    }
    parents = {
        place: list(assembly.references(place.stack, properties["ParentId"]))
        for place, properties in assembly.resources("AWS::ApiGateway::Resource")
    }

    def path(place: Place) -> str:
        above = next((path(parent) for parent in parents[place] if parent in paths), "")
        return f"{above}/{paths[place]}"

    for place, properties in assembly.resources("AWS::ApiGateway::Method"):
        resource = next(iter(assembly.references(place.stack, properties["ResourceId"])), place)
        uri = properties.get("Integration", {}).get("Uri")
        for function in _called(assembly, place.stack, uri):
            label = f"{properties['HttpMethod']} {path(resource)}" if resource in paths else "?"
            nodes[label] = f'{_id(label)}(["{label}"])'
            nodes[function] = f'{_id(function)}["{function}"]'
            yield f"    {_id(label)} --> {_id(function)}"


def _clocks(assembly: Assembly, nodes: dict[str, str]) -> Iterator[str]:
    for place, properties in assembly.resources("AWS::Scheduler::Schedule"):
        label = str(properties["ScheduleExpression"])
        for function in _called(assembly, place.stack, properties["Target"]["Arn"]):
            nodes[label] = f'{_id(label)}{{{{"{label}"}}}}'
            nodes[function] = f'{_id(function)}["{function}"]'
            yield f"    {_id(label)} --> {_id(function)}"


def _sources(assembly: Assembly, nodes: dict[str, str]) -> Iterator[str]:
    for place, properties in assembly.resources("AWS::Lambda::EventSourceMapping"):
        (source,) = set(assembly.references(place.stack, properties["EventSourceArn"]))
        stream = "" if assembly.kind(source) == _QUEUE else " stream"
        label = f"{words(source.logical_id).removeprefix('tables ')}{stream}"
        for function in _called(assembly, place.stack, properties["FunctionName"]):
            nodes[label] = f'{_id(label)}[/"{label}"/]'
            nodes[function] = f'{_id(function)}["{function}"]'
            yield f"    {_id(label)} --> {_id(function)}"


def _sends(assembly: Assembly, nodes: dict[str, str]) -> Iterator[str]:
    for function, stack, statement in _statements(assembly):
        if "sqs:SendMessage" in _listed(statement["Action"]):
            for place in sorted(set(assembly.references(stack, statement["Resource"]))):
                label = words(place.logical_id)
                nodes[label] = f'{_id(label)}[/"{label}"/]'
                nodes[function] = f'{_id(function)}["{function}"]'
                yield f"    {_id(function)} -.-> {_id(label)}"


def _rights(assembly: Assembly) -> dict[str, dict[Place, set[str]]]:
    found: dict[str, dict[Place, set[str]]] = {name: defaultdict(set) for name in assembly.functions.values()}
    for function, stack, statement in _statements(assembly):
        actions = [str(action).partition(":")[2] for action in _listed(statement["Action"])]
        letters = {"r" if action.startswith(_READS) else "w" for action in actions}
        for place in assembly.references(stack, statement["Resource"]):
            if assembly.kind(place) in _STORES:
                found[function][place] |= letters
        if "signals_*" in str(statement["Resource"]):
            found[function][_SIGNALS] |= letters
    return found


def _statements(assembly: Assembly) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Function, stack and statement of every allowing policy of a function's role."""
    owners = {
        role: name
        for place, name in assembly.functions.items()
        for role in assembly.references(place.stack, assembly.properties(place)["Role"])
    }
    for place, properties in assembly.resources("AWS::IAM::Policy"):
        roles = [role for role in assembly.references(place.stack, properties["Roles"]) if role in owners]
        for statement in properties["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                yield from ((owners[role], place.stack, statement) for role in roles)


def _called(assembly: Assembly, stack: str, value: Any) -> Iterator[str]:
    """The functions behind a value, through aliases."""
    for place in dict.fromkeys(assembly.references(stack, value)):
        if place in assembly.functions:
            yield assembly.functions[place]
        elif assembly.kind(place) == "AWS::Lambda::Alias":
            yield from _called(assembly, place.stack, assembly.properties(place)["FunctionName"])


def _store(assembly: Assembly, place: Place) -> str:
    name = words(place.logical_id).removeprefix(_STORES[assembly.kind(place)])
    return name.removesuffix(" bucket").replace(" ", "_")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _id(label: str) -> str:
    """A node's id: letters and digits only, and no word of Mermaid's own."""
    return "n_" + "".join(c if c.isalnum() else "_" for c in label)


def _picture(lines: Sequence[str]) -> str:
    return "\n".join(["```mermaid", *lines, "```"])
