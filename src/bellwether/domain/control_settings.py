"""The desk's settings one by one: their names, bounds and defaults, and changing some of them."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

import msgspec
from msgspec import Struct, inspect

from bellwether.domain.limits import Controls, CostModel, RiskLimits, SizingPolicy, checked_controls
from bellwether.domain.problems import InvalidInput

SECTIONS: Mapping[str, type[Struct]] = {"limits": RiskLimits, "costs": CostModel, "sizing": SizingPolicy}


class _Default:
    """Stands for a value nobody set."""


DEFAULT: Final = _Default()
"""Given as a value it takes what was set away, so that the product's default holds again."""


class Setting(Struct, frozen=True, kw_only=True):
    """One setting: `name` as `section.field`, `bounds` in words, and the product's `default`."""

    name: str
    bounds: str
    default: Any


class Difference(Struct, frozen=True, kw_only=True):
    """A setting that changes."""

    name: str
    before: Any
    after: Any


def settings() -> list[Setting]:
    """All settings, by section, in the order they are declared."""
    return list(_declared())


def _declared() -> Iterator[Setting]:
    for section, kind in SECTIONS.items():
        described = inspect.type_info(kind)
        if isinstance(described, inspect.StructType):
            for one in described.fields:
                yield Setting(name=f"{section}.{one.name}", bounds=bounds(one.type), default=one.default)


def bounds(kind: inspect.Type) -> str:
    """The values a setting may have, in words."""
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(map(str, kind.values))
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if not isinstance(kind, inspect.IntType | inspect.FloatType):
        return "text"
    limits = [
        f"{sign} {value:g}"
        for sign, value in (("≥", kind.ge), (">", kind.gt), ("≤", kind.le), ("<", kind.lt))
        if value is not None
    ]
    what = "whole number" if isinstance(kind, inspect.IntType) else "number"
    return f"{what} {' and '.join(limits)}".rstrip()


def full_name(name: str) -> str:
    """`section.field` from that or from the field alone. Raises `InvalidInput` for an unknown one."""
    names = [setting.name for setting in settings()]
    plain = name.strip().removeprefix("$.")
    found = [known for known in names if plain in {known, known.partition(".")[2]}]
    if len(found) == 1:
        return found[0]
    near = get_close_matches(plain, [*names, *(known.partition(".")[2] for known in names)], n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise InvalidInput(f"there is no setting {plain!r}{hint}", path=f"$.{plain}")


def changed_settings(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Stored controls with some settings changed, the others as they are. Raises `InvalidInput`.

    `changes` are by name (see `full_name`); `DEFAULT` takes a setting away. The fault of a value names its
    path and what it may be.
    """
    made = {**values}
    for name, value in changes.items():
        section, _, field = full_name(name).partition(".")
        stored = made.get(section)
        fields = dict(stored) if isinstance(stored, Mapping) else {}
        fields.pop(field, None)
        made[section] = fields if value is DEFAULT else {**fields, field: value}
    try:
        checked_controls(made)
    except InvalidInput as fault:
        raise InvalidInput(_explained(fault, made), path=fault.path) from None
    return made


def _explained(fault: InvalidInput, values: Mapping[str, Any]) -> str:
    """What is wrong with which setting, in the terms of whoever set it."""
    named = {f"$.{setting.name}": setting for setting in settings()}
    setting = named.get(fault.path or "")
    if setting is None:
        return fault.detail
    section, _, field = setting.name.partition(".")
    return f"{setting.name} cannot be {values[section][field]!r}, it is a {setting.bounds}"


def by_name(controls: Controls) -> dict[str, Any]:
    """The value in force of every setting, and of the desk's switch."""
    found: dict[str, Any] = {"state": controls.desk_state}
    for section in SECTIONS:
        for field, value in msgspec.structs.asdict(getattr(controls, section)).items():
            found[f"{section}.{field}"] = value
    return found


def differences(before: Controls, after: Controls) -> list[Difference]:
    """What changes from one to the other."""
    old, new = by_name(before), by_name(after)
    return [Difference(name=n, before=old[n], after=new[n]) for n in new if old[n] != new[n]]
