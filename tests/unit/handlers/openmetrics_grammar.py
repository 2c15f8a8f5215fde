"""A strict reader of OpenMetrics 1.0 text, from the specification's ABNF, for what the desk exposes."""

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[n"\\])*"'
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_SAMPLE = re.compile(rf"(?P<name>{_NAME})(?P<labels>\{{(?:{_LABEL}(?:,{_LABEL})*)?\}})? (?P<value>{_NUMBER})")
_TYPE = re.compile(rf"# TYPE (?P<name>{_NAME}) (?P<kind>counter|gauge)")
_HELP = re.compile(rf"# HELP (?P<name>{_NAME}) (?:[^\\\n]|\\[n\"\\])*")


def samples(text: str) -> dict[tuple[str, str], float]:
    """Value by (name, labels); raises `AssertionError` naming the first line that is not OpenMetrics."""
    assert text.endswith("# EOF\n"), "the text has to end with # EOF"
    found: dict[tuple[str, str], float] = {}
    families: set[str] = set()
    family, kind = "", ""
    for line in text.removesuffix("# EOF\n").split("\n")[:-1]:
        if told := _TYPE.fullmatch(line):
            family, kind = told["name"], told["kind"]
            assert family not in families, f"the family {family} comes twice"
            assert not family.endswith("_total"), f"a family's name has no _total: {line}"
            families.add(family)
        elif told := _HELP.fullmatch(line):
            assert told["name"] == family, f"help of another family: {line}"
        else:
            sample = _SAMPLE.fullmatch(line)
            assert sample, f"not a sample: {line!r}"
            wanted = f"{family}_total" if kind == "counter" else family
            assert sample["name"] == wanted, f"a sample outside its family: {line}"
            series = (sample["name"], sample["labels"] or "")
            names = re.findall(r'([a-zA-Z_]\w*)="', series[1])
            assert len(names) == len(set(names)), f"a label comes twice: {line}"
            assert series not in found, f"a series comes twice: {line}"
            assert kind != "counter" or float(sample["value"]) >= 0, f"a negative counter: {line}"
            found[series] = float(sample["value"])
    return found
