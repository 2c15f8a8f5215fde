"""Metric math as alarms use it, from the documentation: arithmetic, comparisons, AND and OR, IF and FILL.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

A series is a value for each period, `None` where there is no data. An expression has no value for a period in
which one of its series has none, unless FILL gives it one.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence

Series = Sequence[float | None]

_BINARY: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
}
_COMPARED: Mapping[type[ast.AST], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class NotUnderstood(ValueError):
    """The expression uses what this module does not know: a test must fail then, and never pass."""


def evaluate(expression: str, series: Mapping[str, Series], periods: int) -> list[float | None]:
    """The expression for each of the periods. Raises `NotUnderstood`."""
    text = re.sub(r"\bAND\b|&&", " and ", expression)
    text = re.sub(r"\bOR\b|\|\|", " or ", text).replace("^", "**")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as fault:
        raise NotUnderstood(expression) from fault
    return [_value(tree, series, at) for at in range(periods)]


def _value(node: ast.AST, series: Mapping[str, Series], at: int) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name) if name in series:
            return series[name][at]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            negated = _value(operand, series, at)
            return None if negated is None else -negated
        case ast.BinOp():
            return _arithmetic(node, series, at)
        case ast.Compare(ops=[compared], comparators=[right], left=left):
            return _both(left, right, series, at, lambda a, b: float(_COMPARED[type(compared)](a, b)))
        case ast.BoolOp():
            return _joined(node, series, at)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, arguments, series, at)
    raise NotUnderstood(ast.dump(node))


def _joined(node: ast.BoolOp, series: Mapping[str, Series], at: int) -> float | None:
    values = [_value(part, series, at) for part in node.values]
    if None in values:
        return None
    return float((all if isinstance(node.op, ast.And) else any)(value != 0 for value in values))


def _arithmetic(node: ast.BinOp, series: Mapping[str, Series], at: int) -> float | None:
    if isinstance(node.op, ast.Div):
        # division by zero gives no data point
        return _both(node.left, node.right, series, at, lambda a, b: a / b if b else None)
    if type(node.op) not in _BINARY:
        raise NotUnderstood(ast.dump(node))
    return _both(node.left, node.right, series, at, _BINARY[type(node.op)])


def _both(
    left: ast.AST,
    right: ast.AST,
    series: Mapping[str, Series],
    at: int,
    work: Callable[[float, float], float | None],
) -> float | None:
    first, second = _value(left, series, at), _value(right, series, at)
    return None if first is None or second is None else work(first, second)


def _call(name: str, arguments: Sequence[ast.AST], series: Mapping[str, Series], at: int) -> float | None:
    if name == "FILL" and len(arguments) == 2:
        value = _value(arguments[0], series, at)
        return _value(arguments[1], series, at) if value is None else value
    if name == "IF" and len(arguments) == 3:
        condition = _value(arguments[0], series, at)
        if condition is None:
            return None
        return _value(arguments[1 if condition else 2], series, at)
    raise NotUnderstood(f"{name} with {len(arguments)} arguments")
