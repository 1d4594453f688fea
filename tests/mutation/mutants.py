"""Small defects, one at a time: a comparison moved by its edge, a term dropped, a bound swapped, a case negated."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OTHER_NAME = {"min": "max", "max": "min", "any": "all", "all": "any", "bisect_left": "bisect_right"}


@dataclass(frozen=True)
class Mutant:
    """`source` is the whole module with one defect; `line` is where, `was` and `became` what."""

    line: int
    was: str
    became: str
    source: str


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, from its first line to its last; docstrings and annotations stay."""
    count = sum(1 for _ in _places(ast.parse(source)))
    for number in range(count):
        tree = ast.parse(source)
        node, change = list(_places(tree))[number]
        was = ast.unparse(node)
        became = change()
        yield Mutant(line=node.lineno, was=was, became=became, source=ast.unparse(tree))


def _places(tree: ast.AST) -> Iterator[tuple[ast.expr, object]]:
    """Each expression that can be changed, with what changes it in its tree and says how it then reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield node, lambda n=node: _compare(n)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
            yield node, lambda n=node: _drop(n)
        elif isinstance(node, ast.BoolOp):
            yield node, lambda n=node: _swap(n)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, lambda n=node: _affirm(n)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _OTHER_NAME:
            yield node, lambda n=node: _rename(n)


def _compare(node: ast.Compare) -> str:
    node.ops[0] = _COMPARISONS[type(node.ops[0])]()
    return ast.unparse(node)


def _drop(node: ast.BinOp) -> str:
    neutral = 0 if isinstance(node.op, ast.Add | ast.Sub) else 1
    node.right = ast.Constant(neutral)
    return ast.unparse(node)


def _swap(node: ast.BoolOp) -> str:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return ast.unparse(node)


def _affirm(node: ast.UnaryOp) -> str:
    node.op = ast.UAdd()
    inner = node.operand
    node.operand = ast.Call(func=ast.Name("bool", ast.Load()), args=[inner], keywords=[])
    return ast.unparse(node)


def _rename(node: ast.Call) -> str:
    node.func = ast.Name(_OTHER_NAME[node.func.id], ast.Load())
    return ast.unparse(node)
