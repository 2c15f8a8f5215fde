"""Mutation testing of the domain: of many small faults put into its code, how many do the unit tests notice?

    uv run --with mutmut==3.8.1 python benchmarks/mutation.py [--module fusion] [--workers 2] [--fresh]

Faults are made by mutmut's operators, in everything that runs: functions with and without decorators,
defaults, constants and the bodies of classes. Left alone, as by mutmut, are annotations, decorators, class
headers, imports and docstrings. Text counts like all else (`"deny"` becomes `"XXdenyXX"`); the last column
says how many of the survivors are no more than a changed text.

mutmut's own runner leaves out whatever is decorated and everything outside of functions, so the faults are
tried here: the tests are collected and run once with coverage by test, then each fault gets a forked child
that swaps the code of the function and runs only the tests that reached its lines, the quick ones first. A
fault outside of functions gets a child that imports everything anew. What ran out of its processor time
counts as noticed; what no test reaches counts as a survivor.

Verdicts are kept in a folder of the system's temporary one and taken up again: a fault that was noticed is
not tried twice while its module's source is the same, a survivor is as soon as the tests change.
"""

import argparse
import ast
import gc
import hashlib
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import accumulate
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

HERE = Path(__file__).resolve().parent
# A script's own folder comes first on the path, and one of its neighbours is named like the coverage tool.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]

import pytest  # noqa: E402
from hypothesis import Phase, settings  # noqa: E402

ROOT = HERE.parent
DOMAIN = ROOT / "src" / "bellwether" / "domain"
TESTS = (
    *(f"tests/unit/{name}" for name in ("agents", "configure", "decide", "evaluate", "fusion", "ingest")),
    *(f"tests/unit/{name}" for name in ("ledger", "propose", "risk", "score", "sizing", "summarise")),
    "tests/unit/trace",
    *(f"tests/unit/text/test_{name}.py" for name in ("link_fields", "link_search", "links")),
    "tests/unit/backtest/test_formulas.py",
)
TARGET = 0.85
ENOUGH = 2.0
"""Seconds of tests, the quick ones first, that a fault is given to be noticed in."""
KEPT = Path(tempfile.gettempdir()) / "bellwether-mutation"

Verdict = str  # "killed", "timeout", "survived"


class Fault:
    """One change of one module: where, what, and the source with it."""

    def __init__(self, module: str, number: int, line: int, lines: range, source: Callable[[], str]) -> None:
        self.module, self.number, self.line, self.lines, self._make = module, number, line, lines, source

    @property
    def path(self) -> Path:
        return DOMAIN / f"{self.module}.py"

    @cached_property
    def source(self) -> str:
        return self._make()

    @cached_property
    def change(self) -> tuple[str, str]:
        """The first line that differs, before and after."""
        before, after = self.path.read_text().splitlines(), self.source.splitlines()
        for old, new in zip(before, after, strict=False):
            if old != new:
                return old.strip(), new.strip()
        return "", ""

    @property
    def only_text(self) -> bool:
        """Whether a literal text is all that changed."""
        old, new = self.change
        return new.replace("XX", "").casefold() == old.replace("XX", "").casefold()


def faults_of(module: str) -> list[Fault]:
    """All faults mutmut's operators make of a module, in the order of its lines."""
    return list(_Maker(module).visit())


class _Maker:
    """Walks a module's syntax tree; its tools are imported by name: the project does not depend on them."""

    def __init__(self, module: str) -> None:
        self.module, self.made = module, 0
        self.cst: Any = importlib.import_module("libcst")
        metadata: Any = importlib.import_module("libcst.metadata")
        self.operators = importlib.import_module("mutmut.mutation.mutators").mutation_operators
        text = (DOMAIN / f"{module}.py").read_text()
        wrapper = metadata.MetadataWrapper(self.cst.parse_module(text))
        self.places, self.tree = wrapper.resolve(metadata.PositionProvider), wrapper.module

    def visit(self, node: Any = None, statement: range = range(0)) -> Iterator[Fault]:
        node = self.tree if node is None else node
        if self._left_alone(node):
            return
        place = self.places.get(node)
        if place and isinstance(node, self.cst.SimpleStatementLine | self.cst.BaseCompoundStatement):
            body = getattr(node, "body", None)
            block = isinstance(body, self.cst.IndentedBlock)
            last = self.places[body].start.line if block else place.end.line
            statement = range(place.start.line, last + 1)
        line = place.start.line if place else statement.start
        for kind, operator in self.operators:
            for changed in operator(node) if isinstance(node, kind) else ():
                source = partial(_changed, self.tree, node, changed)
                yield Fault(self.module, self.made, line, statement, source)
                self.made += 1
        # A class is visited by its body: its header declares, like a decorator.
        for child in [node.body] if isinstance(node, self.cst.ClassDef) else node.children:
            yield from self.visit(child, statement)

    def _left_alone(self, node: Any) -> bool:
        cst = self.cst
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
            return True
        return isinstance(node, cst.Call) and getattr(node.func, "value", "") in {"len", "isinstance"}


def _changed(tree: Any, node: Any, changed: Any) -> str:
    return str(tree.deep_replace(node, changed).code)


def functions_in(code: CodeType) -> Iterator[CodeType]:
    """The code of a module's functions and of its classes' methods; not of functions within them."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & 0x2:  # CO_NEWLOCALS: a function, not the body of a class
                yield constant
            else:
                yield from functions_in(constant)


def outside(code: CodeType) -> list[Any]:
    """What is left of a module without its functions: names, constants and instructions."""
    rest: list[Any] = [code.co_code, code.co_names]
    for constant in code.co_consts:
        if not isinstance(constant, CodeType):
            rest.append(repr(constant))
        elif not constant.co_flags & 0x2:
            rest.append(outside(constant))
    return rest


def compiled(fault: Fault) -> tuple[CodeType, CodeType] | None:
    """The module before and after; `None` when the change is no valid Python or changes nothing that runs."""
    try:
        after = compile(fault.source, str(fault.path), "exec")
    except SyntaxError:
        return None
    before = compile(fault.path.read_text(), str(fault.path), "exec")
    same = outside(before) == outside(after)
    return None if same and list(functions_in(before)) == list(functions_in(after)) else (before, after)


Functions = dict[tuple[str, str, int], list[FunctionType]]


def all_functions() -> Functions:
    """The functions of the domain that exist by file, name and line, whatever decorators hold them."""
    found: Functions = {}
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(str(DOMAIN)):
            code = thing.__code__
            found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(thing)
    return found


def swap(before: CodeType, after: CodeType, functions: Functions) -> bool:
    """Puts the changed functions' code in place; False when the change is outside of functions."""
    if outside(before) != outside(after):
        return False
    done = 0
    for old, new in zip(functions_in(before), functions_in(after), strict=True):
        if old != new:
            for function in functions.get((old.co_filename, old.co_qualname, old.co_firstlineno), ()):
                function.__code__ = new
                done += 1
    return done > 0


def tables_that_fill_themselves() -> list[dict[Any, Any]]:
    """The domain's dictionaries that make a value when one is missing, whoever holds them."""
    return [
        thing
        for thing in gc.get_objects()
        if isinstance(thing, dict)
        and hasattr(type(thing), "__missing__")
        and type(thing).__module__.startswith("bellwether.domain.")
    ]


def forget(tables: Sequence[dict[Any, Any]]) -> None:
    """Empties what holds the answers a function gave before."""
    for table in tables:
        table.clear()
    for module in [m for name, m in sys.modules.items() if name.startswith("bellwether.")]:
        for value in vars(module).values():
            if callable(getattr(value, "cache_clear", None)):
                value.cache_clear()


class Reached:
    """What the one run of all tests found: their seconds, and which tests reached which lines."""

    def __init__(self, seconds: dict[str, float], lines: dict[str, dict[int, list[str]]]) -> None:
        self.seconds, self.lines = seconds, lines

    def tests(self, fault: Fault) -> list[str]:
        """The tests that reached the fault's lines, quick ones first."""
        by_line = self.lines.get(fault.module, {})
        return self._quick_first({test for line in fault.lines for test in by_line.get(line, ())})

    def tests_beside(self, fault: Fault) -> list[str]:
        """For a fault outside of functions: the tests whose files import its module, else all that use it."""
        imported = f"bellwether.domain.{fault.module} import"
        files = {test.partition("::")[0] for test in self.seconds}
        beside = {file for file in files if imported in (ROOT / file).read_text()}
        tests = {test for test in self.seconds if test.partition("::")[0] in beside}
        by_line = self.lines.get(fault.module, {})
        return self._quick_first(tests or {test for found in by_line.values() for test in found})

    def _quick_first(self, tests: set[str]) -> list[str]:
        ordered = sorted((t for t in tests if t in self.seconds), key=lambda t: (self.seconds[t], t))
        spent = accumulate(self.seconds[test] for test in ordered)
        return [test for test, total in zip(ordered, spent, strict=True) if total <= ENOUGH]


class Session:
    """Runs what pytest collected once, then every fault that lies in a function."""

    def __init__(self, faults: Sequence[Fault], kept: "Kept", workers: int) -> None:
        self.faults, self.kept, self.workers = faults, kept, workers
        self.items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        reached = self._run_once(session.items)
        self.kept.reached = reached
        self.kept.forget_what_lost_its_test(set(self.items))
        self.functions, self.tables = all_functions(), tables_that_fill_themselves()
        gc.freeze()  # what is shared with the children must not be copied by their collections
        wanted = [f for f in self.faults if not self.kept.knows(f)]
        in_parallel(wanted, self.workers, self._try, self.kept.note, reached.tests, reached.seconds)
        return True

    def _run_once(self, items: Sequence[pytest.Item]) -> Reached:
        import coverage
        from _pytest.runner import runtestprotocol

        tool = coverage.Coverage(data_file=None, include=[f"{DOMAIN}/*"], config_file=False)
        seconds: dict[str, float] = {}
        tool.start()
        for item, following in zip(items, [*items[1:], None], strict=True):
            tool.switch_context(item.nodeid)
            start = time.process_time()
            reports = runtestprotocol(item, log=False, nextitem=following)
            if failed := [report.longreprtext for report in reports if report.failed]:
                raise SystemExit(f"{item.nodeid} fails without any fault:\n{failed[0]}")
            seconds[item.nodeid] = time.process_time() - start
        tool.stop()
        data = tool.get_data()
        lines = {
            Path(name).stem: {
                line: [test for test in tests if test]
                for line, tests in data.contexts_by_lineno(name).items()
            }
            for name in data.measured_files()
        }
        return Reached(seconds, lines)

    def _try(self, fault: Fault, tests: Sequence[str]) -> str | None:
        """In a child: the test that noticed the fault, `None` when none did."""
        from _pytest.runner import runtestprotocol

        both = compiled(fault)
        if both is None:
            return "="
        if not swap(*both, self.functions):
            return "?"
        forget(self.tables)
        for test in tests:
            if any(report.failed for report in runtestprotocol(self.items[test], log=False, nextitem=None)):
                return test
        return None


class Changed(SourceFileLoader):
    """Loads one module with a fault in it."""

    def __init__(self, name: str, fault: Fault) -> None:
        super().__init__(name, str(fault.path))
        self.source = fault.source

    def get_code(self, fullname: str) -> CodeType | None:  # noqa: ARG002 (as the loader's)
        return compile(self.source, self.path, "exec")


class Anew:
    """Runs a module's tests in a process that has imported nothing of the product yet."""

    def __init__(self, fault: Fault, tests: Sequence[str]) -> None:
        self.fault, self.order = fault, {test: place for place, test in enumerate(tests)}
        self.noticed: str | None = None

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        if name != f"bellwether.domain.{self.fault.module}":
            return None
        return spec_from_file_location(name, self.fault.path, loader=Changed(name, self.fault))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self.order), key=lambda i: self.order[i.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.noticed = report.nodeid


def try_anew(fault: Fault, tests: Sequence[str]) -> str | None:
    """In a child: as `Session._try`, with everything imported anew."""
    anew = Anew(fault, tests)
    sys.meta_path.insert(0, anew)
    files = sorted({test.partition("::")[0] for test in tests})
    code = pytest.main([*ARGUMENTS, "-x", *files], plugins=[anew])
    return None if code in {0, 5} else anew.noticed or "the import"


def in_parallel(
    faults: Sequence[Fault],
    workers: int,
    attempt: Callable[[Fault, Sequence[str]], str | None],
    note: Callable[[Fault, Verdict, str], None],
    tests_of: Callable[[Fault], list[str]],
    seconds: Mapping[str, float],
    *,
    more_seconds: int = 2,
) -> None:
    """Tries each fault in a forked child, so many at a time, each with a limit on its processor time."""
    waiting = list(reversed(faults))
    running: dict[int, tuple[Fault, int, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            fault = waiting.pop()
            tests = tests_of(fault)
            limit = more_seconds + int(5 * sum(seconds[test] for test in tests)) + 1
            answer, give = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(answer)
                _in_child(fault, tests, attempt, give, limit)
            os.close(give)
            running[child] = (fault, answer, time.monotonic() + 20 * limit + 60)
        for child in [c for c, (_, _, until) in running.items() if time.monotonic() > until]:
            os.kill(child, signal.SIGKILL)
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            time.sleep(0.002)
            continue
        fault, answer, _ = running.pop(child)
        with os.fdopen(answer) as said:
            told = said.read()
        if os.WIFSIGNALED(status):
            out_of_time = os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}
            note(fault, "timeout" if out_of_time else "killed", f"signal {os.WTERMSIG(status)}")
        else:
            note(fault, {"": "survived", "=": "nothing", "?": "outside"}.get(told, "killed"), told)


def _in_child(
    fault: Fault,
    tests: Sequence[str],
    attempt: Callable[[Fault, Sequence[str]], str | None],
    give: int,
    limit: int,
) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    try:
        told = attempt(fault, tests)
    except BaseException as escaped:  # noqa: BLE001 (whatever a fault raises, it was noticed)
        told = repr(escaped)[:200] or "raised"
    os.write(give, (told or "").encode())
    os._exit(0)


class Kept:
    """Verdicts by module, kept in files."""

    def __init__(self, modules: Sequence[str], *, fresh: bool) -> None:
        KEPT.mkdir(exist_ok=True)
        self.reached: Reached | None = None
        files = sorted((ROOT / "tests" / "unit").rglob("*.py"))
        self.tests = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
        self.sources = {module: _what_runs(module) for module in modules}
        self.known: dict[str, dict[str, list[str]]] = {module: {} for module in modules}
        self.unwritten = Counter[str]()
        if not fresh:
            self.read()

    def read(self) -> None:
        """Takes up what was found before and still holds."""
        for module, source in self.sources.items():
            file = KEPT / f"{module}.json"
            held = json.loads(file.read_text()) if file.exists() else {}
            known = held.get("verdicts", {}) if held.get("source") == source else {}
            again = "" if held.get("tests") == self.tests else "survived"
            self.known[module] = {number: said for number, said in known.items() if said[0] != again}

    def forget_what_lost_its_test(self, tests: set[str]) -> None:
        for known in self.known.values():
            for number, (_, told) in list(known.items()):
                if "::" in told and told not in tests:
                    del known[number]

    def knows(self, fault: Fault) -> bool:
        return str(fault.number) in self.known[fault.module]

    def note(self, fault: Fault, verdict: Verdict, told: str) -> None:
        self.known[fault.module][str(fault.number)] = [verdict, told]
        self.unwritten[fault.module] += 1
        if self.unwritten.total() >= 20:
            for module in self.unwritten:
                self.write(module)
            self.unwritten.clear()

    def write(self, module: str) -> None:
        content = {"source": self.sources[module], "tests": self.tests, "verdicts": self.known[module]}
        (KEPT / f"{module}.json").write_text(json.dumps(content))

    def write_all(self) -> None:
        for module in self.known:
            self.write(module)

    def of(self, fault: Fault) -> Verdict:
        return self.known[fault.module].get(str(fault.number), ["untried", ""])[0]


def _what_runs(module: str) -> str:
    """A fingerprint of a module's source without its docstrings and layout."""
    tree = ast.parse((DOMAIN / f"{module}.py").read_text())
    for node in ast.walk(tree):
        body: Any = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


ARGUMENTS = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "-p", "no:randomly"]


def run_in_child(work: Callable[[], None]) -> None:
    """Keeps what the work imports out of this process."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 (the parent only needs to know)
            print(fault, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the run of the tests failed")


def report(modules: Sequence[str], faults: Sequence[Fault], kept: Kept) -> float:
    """Prints the survivors and a line for each module; returns the score over all."""
    rows: dict[str, Counter[str]] = {module: Counter() for module in modules}
    for fault in faults:
        verdict = kept.of(fault)
        if verdict == "nothing":
            continue
        rows[fault.module][verdict] += 1
        if verdict == "survived":
            rows[fault.module]["text"] += fault.only_text
            old, new = fault.change
            print(f"{fault.module}.py:{fault.line} #{fault.number}\n    - {old}\n    + {new}")
    print(f"\n{'module':24}{'killed':>8}{'timeout':>8}{'survived':>9}{'total':>7}{'score':>8}{'text':>6}")
    rows["all"] = sum(rows.values(), Counter())
    score = 1.0
    for name, row in rows.items():
        total = row.total() - row["text"]
        score = (row["killed"] + row["timeout"]) / total if total else 1.0
        note = f"  {row['untried'] + row['outside']} untried" if row["untried"] + row["outside"] else ""
        counts = f"{row['killed']:8}{row['timeout']:8}{row['survived']:9}{total:7}"
        print(f"{name:24}{counts}{score:8.1%}{row['text']:6}{note}")
    return score


def main() -> int:
    """Tries the faults and prints the score; 1 when it is below the target."""
    parser = argparse.ArgumentParser(description="Mutation testing of bellwether.domain")
    parser.add_argument("--module", action="append", help="only this module of the domain; may be repeated")
    parser.add_argument("--workers", type=int, default=2, help="faults tried at the same time")
    parser.add_argument("--fresh", action="store_true", help="forget earlier verdicts")
    parser.add_argument("--list", action="store_true", help="print what is known and try nothing")
    asked = parser.parse_args()
    os.chdir(ROOT)
    os.nice(5)
    modules = asked.module or sorted(p.stem for p in DOMAIN.glob("*.py") if p.stem != "__init__")
    faults = [fault for module in modules for fault in faults_of(module)]
    kept = Kept(modules, fresh=asked.fresh)
    if not asked.list:
        try_all(faults, kept, asked.workers)
    return 0 if report(modules, faults, kept) >= TARGET else 1


def try_all(faults: Sequence[Fault], kept: Kept, workers: int) -> None:
    """The faults in functions in a process of their own, then those outside, which need clean processes."""
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutation", database=None, derandomize=True, deadline=None, phases=phases)
    settings.load_profile("mutation")
    for library in ("numpy", "scipy.stats", "sklearn.linear_model", "sklearn.metrics", "msgspec", "coverage"):
        importlib.import_module(library)
    passed_on = KEPT / "reached.json"
    run_in_child(lambda: in_functions(faults, kept, workers, passed_on))
    kept.read()
    reached = Reached(*json.loads(passed_on.read_text()))
    left = [fault for fault in faults if kept.of(fault) == "outside"]
    seconds = reached.seconds
    in_parallel(left, workers, try_anew, kept.note, reached.tests_beside, seconds, more_seconds=20)
    kept.write_all()


def in_functions(faults: Sequence[Fault], kept: Kept, workers: int, passed_on: Path) -> None:
    """Runs the tests and the faults in functions; leaves what the tests reached in a file."""
    session = Session(faults, kept, workers)
    pytest.main([*ARGUMENTS, *TESTS], plugins=[session])
    kept.write_all()
    assert kept.reached is not None
    passed_on.write_text(json.dumps([kept.reached.seconds, kept.reached.lines]))


if __name__ == "__main__":
    sys.exit(main())
