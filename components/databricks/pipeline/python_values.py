"""Text that a Python file writes down: constants, names bound to them once, and parameters of the pipeline."""

import ast
from collections.abc import Mapping


class NotWrittenError(Exception):
    """A value that only running the file would tell."""


class Values:
    """The values of names in one scope.

    Args:
        scope: A module, or a function.
        configuration: What ``spark.conf.get`` gives.
        outer: The values of the scope around it.
    """

    def __init__(
        self, scope: ast.Module | ast.FunctionDef, configuration: Mapping[str, str], outer: "Values | None" = None
    ) -> None:
        self._configuration, self._outer = configuration, outer
        self._bound: dict[str, ast.expr | None] = {}
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):  # a name that is bound twice is no constant
                        self._bound[target.id] = None if target.id in self._bound else node.value
            elif isinstance(node, ast.For | ast.comprehension):
                for name in ast.walk(node.target):
                    if isinstance(name, ast.Name):
                        self._bound[name.id] = None
            elif isinstance(node, ast.FunctionDef) and node is scope:
                for argument in [*node.args.args, *node.args.kwonlyargs]:
                    self._bound[argument.arg] = None

    def inside(self, function: ast.FunctionDef) -> "Values":
        """The values inside a function of this scope."""
        return Values(function, self._configuration, self)

    def text(self, node: ast.expr | None) -> str:
        """The text that an expression stands for; raises NotWrittenError where it is not known before it runs."""
        match node:
            case ast.Constant(value=str() as value):
                return value
            case ast.Name(id=name):
                return self.text(self._value(name))
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(left) + self.text(right)
            case ast.JoinedStr(values=parts):
                return "".join(self._part(part) for part in parts)
            case ast.Call(func=ast.Attribute(attr="get", value=owner), args=[key, *default]) if _is_conf(owner):
                name = self.text(key)
                if name in self._configuration:
                    return self._configuration[name]
                return self.text(default[0] if default else None)
        raise NotWrittenError

    def pairs(self, node: ast.expr | None) -> dict[str, str]:
        """The text by text of a dictionary; raises NotWrittenError where it is not known before it runs."""
        if isinstance(node, ast.Name):
            return self.pairs(self._value(node.id))
        if isinstance(node, ast.Dict):
            return {self.text(key): self.text(value) for key, value in zip(node.keys, node.values, strict=True)}
        raise NotWrittenError

    def _part(self, part: ast.expr) -> str:
        return self.text(part.value if isinstance(part, ast.FormattedValue) else part)

    def _value(self, name: str) -> ast.expr | None:
        if name in self._bound:
            return self._bound[name]
        return self._outer._value(name) if self._outer else None


def _is_conf(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Attribute) and owner.attr == "conf"
