"""Compile the pure house, core and simulator and the node between them, to C, for the long runs.

Run: `python bench/compile_house.py DIR` (about two minutes of one core); then
`PYTHONPATH=DIR python -m bench.swarm …` runs the same sources, compiled by mypyc. Whatever imports
other libraries stays as it is, beside the compiled modules. Needs gcc and this Python's headers.
"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src"
PURE = ("core", "sim", "sim/nova", "sim/oracle", "sim/faults", "sim/explore")
MORE = ("engine/node.py",)

RETYPED = """import copyreg
from operator import attrgetter
from typing import Any, NamedTuple, get_type_hints


def retyped(kind: Any, types: dict[str, str]) -> None:
    kind.__annotations__.update(types)
    if fields := getattr(kind, "__dataclass_fields__", None):
        for name, each in fields.items():
            each.type = types.get(name, each.type)
        values = [attrgetter(name) for name, each in fields.items() if each.init]
        copyreg.pickle(kind, lambda one: (kind, tuple(value(one) for value in values)))
    if issubclass(kind, tuple):
        kind.__annotations__.update(get_type_hints(kind))
        kind.__orig_bases__ = (NamedTuple,)
"""

# Many files, for as many of gcc as there are processors: one of all modules takes it twice as long.
SETUP = """import os
from concurrent.futures import ThreadPoolExecutor

from mypyc.build import mypycify
from setuptools import setup
from setuptools.command.build_ext import build_ext


class SideBySide(build_ext):
    def build_extension(self, extension):
        compiled = self.compiler.compile

        def together(sources, **options):
            with ThreadPoolExecutor(os.cpu_count()) as threads:
                each = threads.map(lambda source: compiled([source], **options), sources)
                return [object for objects in each for object in objects]

        self.compiler.compile = together
        super().build_extension(extension)


options = {{"opt_level": "2", "debug_level": "0", "multi_file": True}}
modules = mypycify({names}, **options)
setup(name="compiled-house", ext_modules=modules, cmdclass={{"build_ext": SideBySide}})
"""


def main() -> None:
    out = Path(sys.argv[1]).resolve()
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(SRC, out)
    paths = modules(out)
    (out / "ninelives" / "retyped.py").write_text(RETYPED)
    for path in paths:
        path.write_text(with_field_types(with_copies(path.read_text())))
    build(paths, out)
    print(f"compiled: PYTHONPATH={out}")


def modules(out: Path) -> list[Path]:
    """Return what is compiled: the pure modules, without the packages' own files."""
    house = out / "ninelives"
    pure = [path for part in PURE for path in sorted((house / part).glob("*.py"))]
    return [path for path in pure if path.name != "__init__.py"] + [house / name for name in MORE]


def with_copies(source: str) -> str:
    """Leave a class that copies itself a common one: `copy` cannot make an empty native object."""
    lines = source.splitlines()
    copied = [
        node.lineno
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and "copy(self)" in ast.unparse(node)
    ]
    for line in reversed(copied):
        lines.insert(line - 1, "@_mypyc_attr(native_class=False)")
    if copied:
        first = next(node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom))
        lines.insert(first.lineno - 1, "from mypy_extensions import mypyc_attr as _mypyc_attr")
    return "\n".join(lines)


def with_field_types(source: str) -> str:
    """Give every class back the types of its fields as written: mypyc forgets what is in `[]`.

    The codec reads them.
    """
    told = [
        f"_retyped({node.name}, {fields!r})"
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and (fields := fields_of(node))
    ]
    return "\n".join([source, "from ninelives.retyped import retyped as _retyped", *told, ""])


def fields_of(node: ast.ClassDef) -> dict[str, str]:
    """Return the annotated names of a class, and their types' text."""
    return {
        field.target.id: ast.unparse(field.annotation)
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def build(paths: list[Path], out: Path) -> None:
    """Compile `paths` in place."""
    settings = "[mypy]\nnamespace_packages = True\nexplicit_package_bases = True\n"
    (out / "mypy.ini").write_text(settings)
    names = [str(path.relative_to(out)) for path in paths]
    (out / "setup.py").write_text(SETUP.format(names=names))
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    subprocess.run(command, cwd=out, env=os.environ | {"MYPYPATH": str(out)}, check=True)


if __name__ == "__main__":
    main()
