"""Every action that the code can append to the audit, read from the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

from series.permissions import Action

ROOT = Path(__file__).parent.parent
PRODUCT = ("series", "lms", "lti_tool", "moodle_sync")
Function = ast.FunctionDef
Found = Iterator[str]


class AuditActions:
    """Where an action comes in by a parameter, all callers are asked. A part that only a run knows is an asterisk."""

    def __init__(self) -> None:
        paths = [path for package in PRODUCT for path in sorted((ROOT / package).rglob("*.py"))]
        modules = [ast.parse(path.read_text()) for path in paths]
        self._functions = [(module, one) for module in modules for one in ast.walk(module) if isinstance(one, Function)]
        self._calls = [(module, inside, call) for module in modules for inside, call in _calls_in(module, inside=None)]

    def all(self) -> set[str]:
        return set(self._given_to(None, "append_audit", "action", frozenset()))

    def _given_to(self, home: ast.Module | None, function: str, parameter: str, asked: frozenset[str]) -> Found:
        """`home`: where the function is; a private one is called there alone."""
        if function in asked:
            return
        for module, inside, call in self._calls:
            if _name(call.func) != function or inside is None or (function.startswith("_") and module is not home):
                continue
            value = self._argument(module, call, function, parameter)
            if value is not None:
                yield from self._values(module, inside, value, asked | {function})

    def _argument(self, module: ast.Module, call: ast.Call, function: str, parameter: str) -> ast.expr | None:
        by_name = [keyword.value for keyword in call.keywords if keyword.arg == parameter]
        if by_name:
            return by_name[0]
        named = [(home, one) for home, one in self._functions if one.name == function]
        for one in [one for home, one in named if home is module] or [one for _, one in named]:
            names = [argument.arg for argument in one.args.args]
            if parameter in names and names.index(parameter) < len(call.args):
                return call.args[names.index(parameter)]
        return None

    def _values(self, module: ast.Module, inside: Function, value: ast.expr, asked: frozenset[str]) -> Found:
        match value:
            case ast.Constant(value=str(text)):
                yield text
            case ast.IfExp():
                yield from self._values(module, inside, value.body, asked)
                yield from self._values(module, inside, value.orelse, asked)
            case ast.JoinedStr():
                yield "".join(one.value if isinstance(one, ast.Constant) else "*" for one in value.values)
            case ast.Attribute(value=ast.Name(id="Action")):
                yield Action[value.attr].value
            case ast.Subscript(value=ast.Name(id=table)):
                yield from _constants_of(module, table)
            case ast.Name(id=name):
                yield from self._of_name(module, inside, name, asked)
            case _:
                raise AssertionError(f"what action is this? {ast.unparse(value)} in {inside.name}")

    def _of_name(self, module: ast.Module, inside: Function, name: str, asked: frozenset[str]) -> Found:
        if name in {one.arg for one in (*inside.args.args, *inside.args.kwonlyargs)}:
            yield from self._given_to(module, inside.name, name, asked)
            return
        for node in ast.walk(inside):
            for target, given in _bindings(node):
                if target == name:
                    yield from self._values(module, inside, given, asked)
        yield from _constants_of(module, name)


def _calls_in(node: ast.AST, *, inside: Function | None) -> Iterator[tuple[Function | None, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield inside, child
        yield from _calls_in(child, inside=child if isinstance(child, Function) else inside)


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else ""


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names with what is bound to them, also as one of several at once."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
        pairs = [(node.target, one) for one in node.iter.elts]
    for target, value in pairs:
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from (
                (one.id, given) for one, given in zip(target.elts, value.elts, strict=True) if hasattr(one, "id")
            )


def _constants_of(module: ast.Module, name: str) -> Found:
    """Of a constant of the module, or of the values of its table."""
    for node in module.body:
        for target, value in _bindings(node):
            if target == name:
                values = value.values if isinstance(value, ast.Dict) else [value]
                yield from (one.value for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str))
