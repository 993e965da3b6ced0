"""What the sources of a task say, by their syntax: nothing of them is run, and nothing is imported.

``python3 -I -S -B sources.py``, on any machine. Standard input: ``{"<path>": "<source>"}`` of all
.py files of a task. Standard output: ``{"mistakes": [{"path", "line", "what"}], "grader": ["…"],
"variables": {"names", "texts", "sure"}}``: what is no Python of the boxes, what grader.py lacks to
be a grader, and which variables of the instruction its generator sets (null if one of its modules
is no Python).
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator

#: The Python of the boxes, so that what a newer one would take is not taken here.
VERSION = (3, 11)
GRADER, GENERATOR, SOLUTION = "grader", "generate", "solution"
#: What a grader has to use of the library while it is loaded, and what it is told without.
NEEDED = {
    "criterion": "defines no criteria; decorate functions with @criterion",
    "grade": "never calls grade(); make it the last line",
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def main() -> None:
    """Answers and ends."""
    trees: dict[str, ast.Module] = {}
    mistakes = []
    for path, source in json.load(sys.stdin).items():
        try:
            trees[path] = ast.parse(source, path, feature_version=VERSION)
        except (SyntaxError, ValueError, RecursionError) as error:
            line, what = getattr(error, "lineno", None) or 1, str(getattr(error, "msg", error))
            mistakes.append({"path": path, "line": line, "what": what})
    modules = {path[:-3]: tree for path, tree in trees.items() if "/" not in path}
    # A module that can't be read may do anything for those that can import it.
    broken = {each["path"][:-3] for each in mistakes if "/" not in each["path"]}
    found = {
        "mistakes": mistakes,
        "grader": [] if broken - {GENERATOR, SOLUTION} else grader_mistakes(modules),
        "variables": None if broken - {GRADER, SOLUTION} else variables(modules),
    }
    print(json.dumps(found))


def grader_mistakes(modules: dict[str, ast.Module]) -> list[str]:
    """What the module ``grader`` lacks, each as the end of a sentence about it."""
    if GRADER not in modules:
        return []
    used = Loading(modules).used()
    return [words for name, words in NEEDED.items() if name not in used]


class Loading:
    """What would be run of a grader, and of modules beside it, if it were loaded."""

    def __init__(self, modules: dict[str, ast.Module]) -> None:
        self._modules = {name: Module(tree) for name, tree in modules.items()}
        self._used: set[str] = set()
        self._waiting: list[tuple[Module, ast.AST]] = []
        self._seen: set[int] = set()

    def used(self) -> set[str]:
        """Names of the library that come up in what would be run."""
        self._run_module(GRADER)
        while self._waiting:
            module, node = self._waiting.pop()
            for each in running(node):
                self._look(module, each)
        return self._used

    def _run(self, module: Module, node: ast.AST) -> None:
        if id(node) not in self._seen:
            self._seen.add(id(node))
            self._waiting.append((module, node))

    def _run_module(self, name: str) -> None:
        if name in self._modules:
            self._run(self._modules[name], self._modules[name].tree)

    def _look(self, module: Module, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for each in node.names:
                self._run_module(each.name)
        elif isinstance(node, ast.ImportFrom):
            self._run_module(node.module or "")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._use(module, node.id)
        elif isinstance(node, ast.Attribute):
            owner = module.imported.get(ast.unparse(node.value), "")
            if is_library(owner):
                self._used.add(node.attr)
            elif owner in self._modules:
                self._use(self._modules[owner], node.attr)
            else:  # A method of something.
                for other in self._modules.values():
                    for method in other.methods.get(node.attr, ()):
                        self._run(other, method)

    def _use(self, module: Module, name: str) -> None:
        for function in module.functions.get(name, ()):
            self._run(module, function)
        if name in module.functions:
            return
        origin, known_as = module.taken.get(name, ("", name))
        for source in [origin] if origin else module.stars:
            if is_library(source):
                self._used.add(known_as)
            elif source in self._modules and self._modules[source] is not module:
                self._use(self._modules[source], known_as)


class Module:
    """The names that a module has."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        #: ``import x as y``: y is module x.
        self.imported: dict[str, str] = {}
        #: ``from x import y as z``: z is y of module x.
        self.taken: dict[str, tuple[str, str]] = {}
        #: ``from x import *``.
        self.stars: list[str] = []
        self.functions: dict[str, list[ast.AST]] = {}
        self.methods: dict[str, list[ast.AST]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    self.imported[each.asname or each.name] = each.name
            elif isinstance(node, ast.ImportFrom):
                for each in node.names:
                    if each.name == "*":
                        self.stars.append(node.module or "")
                    else:
                        self.taken[each.asname or each.name] = (node.module or "", each.name)
            elif isinstance(node, ast.ClassDef):
                for inside in node.body:
                    if isinstance(inside, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        self.methods.setdefault(inside.name, []).append(inside)
        inner = {id(each) for all_of in self.methods.values() for each in all_of}
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if id(node) not in inner:
                self.functions.setdefault(node.name, []).append(node)


def is_library(name: str) -> bool:
    """Whether a module of this name has what graders are made of."""
    return name in ("cloche", "cloche.criteria")


def running(start: ast.AST) -> Iterator[ast.AST]:
    """What is run of a module, or of a function that is called: not the insides of functions."""
    waiting: list[ast.AST] = [start]
    while waiting:
        node = waiting.pop()
        yield node
        if node is not start and isinstance(node, _FUNCTIONS):
            waiting += getattr(node, "decorator_list", [])
            waiting += [each for each in (*node.args.defaults, *node.args.kw_defaults) if each]
            if isinstance(node, ast.Lambda):
                waiting.append(node.body)
        elif isinstance(node, ast.If) and never(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def never(test: ast.expr) -> bool:
    """Whether a condition is false wherever the module is loaded as a grader."""
    if isinstance(test, ast.Constant):
        return not test.value
    return ast.unparse(test) in (
        "__name__ == '__main__'",
        "'__main__' == __name__",
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def variables(modules: dict[str, ast.Module]) -> dict[str, object]:
    """Names of variables that the generator, or a module beside it, sets.

    ``sure`` says whether these are all of them; if not, one is likely to be among the ``texts``.
    """
    names: set[str] = set()
    texts: set[str] = set()
    sure = True
    for name, tree in modules.items():
        if name in (GRADER, SOLUTION):
            continue
        told: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            keys = keys_set(node)
            if keys is not None:
                held, found = keys
                told.add(id(held))
                names.update(each for each in found if each is not None)
                sure = sure and None not in found
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "variables"
                and id(node) not in told
            ):
                sure = False
            elif isinstance(node, ast.keyword) and node.arg is not None:
                texts.add(node.arg)
    return {"names": sorted(names), "texts": sorted(texts), "sure": sure}


def keys_set(node: ast.AST) -> tuple[ast.AST, list[str | None]] | None:
    """Where ``….variables`` is set, and by which keys; None among them is one made at run."""
    if isinstance(node, ast.Subscript) and is_variables(node.value):
        return node.value, [constant(node.slice)] if isinstance(node.ctx, ast.Store) else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        held, how = node.func.value, node.func.attr
        if is_variables(held) and how == "update":
            found = [each.arg for each in node.keywords]
            return held, [*found, *(key for each in node.args for key in keys_of(each))]
        if is_variables(held) and how == "setdefault":
            return held, [constant(each) for each in node.args[:1]]
    if isinstance(node, ast.Assign) and is_variables(node.targets[0]):
        return node.targets[0], keys_of(node.value)
    if isinstance(node, ast.AugAssign) and is_variables(node.target):
        return node.target, keys_of(node.value)
    return None


def keys_of(node: ast.expr) -> list[str | None]:
    """The keys of a dict that is written out; None for each that is not."""
    if isinstance(node, ast.Dict):
        return [None if key is None else constant(key) for key in node.keys]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and not node.args:
        return [each.arg for each in node.keywords]
    return [None]


def is_variables(node: ast.AST) -> bool:
    """Whether this is ``variant.variables``."""
    return isinstance(node, ast.Attribute) and node.attr == "variables"


def constant(node: ast.expr) -> str | None:
    """The text that stands there; None for what is made at run."""
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else None  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
