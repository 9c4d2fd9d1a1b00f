"""The house rules that a machine can check. A rule that is not here is only a wish."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).parents[1]
JUDGED = ("src", "tests", "ci", "bench")

FILE_LINES_MAX, FUNCTION_LINES_MAX, NESTING_MAX = 400, 60, 3

MAY_IMPORT = {  # layer: what of ninelives it may import; imports point one way
    "core": {"core"},
    "engine": {"core", "engine"},
    "adapters": {"core", "engine", "adapters", "fence"},  # and of adapters only its own product's
    "fence": {"fence"},  # what Pacemaker starts: it works while the house is being rebuilt
    "agent": {"core", "agent"},  # one zipapp for a hypervisor that has nothing but Python
    "sim": {"core", "engine", "sim"},
    "lab": {"core", "engine", "adapters", "agent", "sim", "lab"},
    "app": {"core", "engine", "adapters", "agent", "sim", "lab", "app"},
}
CORE_MAY_IMPORT = {
    *("collections", "dataclasses", "enum", "functools", "heapq", "itertools", "math", "typing"),
    "ninelives",
}
CORE_MAY_NOT_CALL = {"open", "print", "input", "eval", "exec", "id", "hash", "__import__"}
SHARED_ADAPTER = "process"  # the one place that starts other programs

PROOF_MAKERS = ("core/proofs.py", "engine/codec")  # who certifies, and who reads it back
ANY_SPEAKERS = ("engine/codec",)
CATCHERS_OF_ALL = ("engine/perform.py", "app/daemon.py")

MUTABLE_IN_CORE = {"Cluster"}  # the state between two decisions; only its own `apply` changes it

VOCABULARIES = {"at", "do", "on"}  # states, actions, events: names that core and sim alone may use
WORDS_OF_NO_MEANING = ("Manager", "Helper", "Util", "Base", "Impl", "Data", "Info")
PARENTS = {"Protocol", "Enum", "StrEnum", "IntEnum", "Flag", "NamedTuple", "Generic"}
NOTES_TO_ONESELF = ("TO" + "DO", "FIX" + "ME", "X" + "XX")

BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One file. `inside` is its path below src/ninelives, or "" for what is not shipped."""

    inside: str
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        return self.inside.split("/")[0] if "/" in self.inside else ""

    def is_any_of(self, prefixes: tuple[str, ...]) -> bool:
        return self.inside.startswith(prefixes)


Rule = Callable[[Source], Iterator[str]]


def modules() -> list[Path]:
    found = (path for folder in JUDGED for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


def source_of(path: PurePath, text: str) -> Source:
    parts = path.parts
    inside = "/".join(parts[2:]) if parts[:2] == ("src", "ninelives") else ""
    return Source(inside, text, ast.parse(text))


@pytest.mark.parametrize("path", modules(), ids=str)
def test_a_module_keeps_the_house_rules(path: Path) -> None:
    source = source_of(path, (ROOT / path).read_text())

    assert not [complaint for rule in RULES for complaint in rule(source)]


# ------------------------------------------------------------------------------- layers


def layers(source: Source) -> Iterator[str]:
    if source.layer and source.layer not in MAY_IMPORT:
        yield f"{source.layer} is no layer of this house"
        return
    for name in imports(source):
        match name.split("."):
            case ["ninelives", layer, *_] if layer in MAY_IMPORT and source.layer:
                if layer not in MAY_IMPORT[source.layer]:
                    yield f"{source.layer} may not import {name}"
            case _:
                pass


def pure_core(source: Source) -> Iterator[str]:
    if source.layer != "core":
        return
    for name in imports(source):
        if name.split(".")[0] not in CORE_MAY_IMPORT:
            yield f"core may not import {name}: it has no clock, no chance, no input and no output"
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CORE_MAY_NOT_CALL:
                yield f"core may not call {name}()"
            case ast.AsyncFunctionDef(name=name):
                yield f"core does not wait: {name}"
            case _:
                pass


def adapters_apart(source: Source) -> Iterator[str]:
    """Hold adapters apart; `sql` and `sql_schema` are one product."""
    if source.layer != "adapters":
        return
    product = product_of(source.inside.split("/")[1])
    for name in imports(source):
        match name.split("."):
            case ["ninelives", "adapters", other, *_]:
                if product_of(other) not in {product, SHARED_ADAPTER}:
                    yield f"the adapter {product} may not import the adapter {other}"
            case _:
                pass


def product_of(module: str) -> str:
    return module.removesuffix(".py").split("_")[0]


def imports(source: Source) -> Iterator[str]:
    """Yield each imported name in full: `ninelives.core.model.Proof`, `math.inf`."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                origin = ".".join(filter(None, [package_of(source, level), module]))
                yield from (f"{origin}.{alias.name}" for alias in names)
            case _:
                pass


def package_of(source: Source, level: int) -> str:
    if level == 0 or not source.inside:
        return ""
    return ".".join(["ninelives", *source.inside.split("/")[:-level]])


# ------------------------------------------------------------------------------- safety by shape


def proofs_are_certified(source: Source) -> Iterator[str]:
    if not source.inside or source.is_any_of(PROOF_MAKERS):
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="Proof") | ast.Attribute(attr="Proof")):
                yield f"line {node.lineno}: only core/proofs.py makes a Proof"
            case ast.alias(name="Proof", asname=str(other)):
                yield f"a Proof is called Proof, not {other}"
            case _:
                pass


def nothing_is_swallowed(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        match node:
            case ast.ExceptHandler(type=kind) if not source.is_any_of(CATCHERS_OF_ALL):
                if kind is None or {"Exception", "BaseException"} & names_in(kind):
                    yield f"line {node.lineno}: catches everything"
            case _:
                pass
        match node:
            case ast.ExceptHandler(body=[ast.Pass()]):
                yield f"line {node.lineno}: an error is passed over in silence"
            case _:
                pass


def tasks_have_an_owner(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="asyncio" | "loop"), attr="create_task" | "ensure_future"
                )
                | ast.Name(id="create_task" | "ensure_future")
            ):
                yield f"line {node.lineno}: a task belongs to a TaskGroup"
            case _:
                pass


def any_stays_in_the_codec(source: Source) -> Iterator[str]:
    if source.inside and not source.is_any_of(ANY_SPEAKERS) and "typing.Any" in imports(source):
        yield "Any is spoken in the codec only: parse into a type that cannot be wrong"


def names_in(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


# ------------------------------------------------------------------------------- shape and words


def sizes(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{lines} lines: two ideas; find the second one's name"
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTIONS):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{node.name} has {length} lines"
            if nesting(node) > NESTING_MAX:
                yield f"{node.name} nests {nesting(node)} deep: push ifs up and loops down"


def nesting(node: ast.AST) -> int:
    """Count how deep blocks stand in each other. An `elif` and a `case` add nothing."""
    return max((deepest(child, node) for child in ast.iter_child_nodes(node)), default=0)


def deepest(child: ast.AST, parent: ast.AST) -> int:
    if isinstance(child, FUNCTIONS):
        return 0  # judged by itself
    is_elif = isinstance(child, ast.If) and isinstance(parent, ast.If) and child in parent.orelse
    return nesting(child) + (isinstance(child, BLOCKS) and not is_elif)


def words(source: Source) -> Iterator[str]:
    if not ast.get_docstring(source.tree):
        yield "a module opens with one sentence on what it is for"
    if any(note in source.text for note in NOTES_TO_ONESELF):
        yield "a note to oneself: do it, or say in an ADR why not"
    for node in ast.walk(source.tree):
        match node:
            case ast.ClassDef(name=name) if name.endswith(WORDS_OF_NO_MEANING):
                yield f"{name}: a name of the field says more"
            case ast.alias(asname=str(name)) if name in VOCABULARIES and source.inside:
                if source.layer not in {"core", "sim"}:
                    yield f"{name} is a vocabulary of core and sim alone"
            case _:
                pass


def plain_data(source: Source) -> Iterator[str]:
    """Keep the inner layers to frozen values, plain functions and few parents."""
    if source.layer not in {"core", "engine", "sim", "agent"}:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for parent in map(parent_name, node.bases):
            if parent not in PARENTS and not parent.endswith(("Error", "Exception")):
                yield f"{node.name} inherits from {parent}"
        decorators = " ".join(map(ast.unparse, node.decorator_list))
        is_loose = "dataclass" in decorators and "frozen=True" not in decorators
        if source.layer == "core" and is_loose and node.name not in MUTABLE_IN_CORE:
            yield f"{node.name}: what the core hands out is frozen"


def parent_name(base: ast.expr) -> str:
    """Name a parent: `Protocol` of `typing.Protocol[Key]`."""
    return ast.unparse(base).partition("[")[0].rpartition(".")[2]


RULES: tuple[Rule, ...] = (
    layers,
    pure_core,
    adapters_apart,
    proofs_are_certified,
    nothing_is_swallowed,
    tasks_have_an_owner,
    any_stays_in_the_codec,
    sizes,
    words,
    plain_data,
)
