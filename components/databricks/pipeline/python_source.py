"""Python files of a pipeline, read without running them: the data sets they declare and the tables these read."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..lakehouse.sql_query import QueryError, parsed, streams, tables_read
from .python_values import NotWrittenError, Values
from .spec import Action, Expectation, Kind, PipelineError

_MODULES = ("dlt", "pyspark.pipelines")
_DATA_SETS: dict[str, Kind] = {
    "table": "streaming_table",
    "create_table": "streaming_table",
    "materialized_view": "materialized_view",
    "temporary_view": "temporary_view",
    "view": "temporary_view",
}
_EXPECT: dict[str, Action] = {"expect": "warn", "expect_or_drop": "drop", "expect_or_fail": "fail"}
_EXPECT_ALL: dict[str, Action] = {
    f"expect_all{name.removeprefix('expect')}": action for name, action in _EXPECT.items()
}
_CDC = ("create_auto_cdc_flow", "apply_changes")
_STREAMING_TABLES = ("create_streaming_table", "create_target_table", "create_streaming_live_table")


@dataclass
class Declared:
    """What a file declares of one data set; flows into it elsewhere add to ``reads``."""

    name: str
    kind: Kind | None
    line: int
    reads: list[str] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    comment: str = ""


@dataclass
class Unread:
    """Something that only running the file would tell."""

    line: int
    what: str
    data_set: str | None = None


@dataclass
class PythonFile:
    """What is known of a file from reading it."""

    declared: list[Declared] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def read_python(file: Path, configuration: Mapping[str, str]) -> PythonFile:
    """The data sets of a file.

    Args:
        file: The file.
        configuration: What ``spark.conf.get`` gives.

    Raises:
        PipelineError: it is no Python; the message has file and line.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except SyntaxError as error:
        raise PipelineError(f"{file}:{error.lineno}: {error.msg}") from None
    return _Reader(file, tree, configuration).read()


class _Reader:
    def __init__(self, file: Path, tree: ast.Module, configuration: Mapping[str, str]) -> None:
        self.file, self.tree, self.found = file, tree, PythonFile()
        self.modules, self.names = _imports(tree)
        self.values = Values(tree, configuration)
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    def read(self) -> PythonFile:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                self._function(node)
            elif isinstance(node, ast.Call):
                self._call(node)
        return self.found

    def _api(self, node: ast.expr) -> str | None:
        """The name that a call or decorator has in the pipelines module, or None."""
        target = node.func if isinstance(node, ast.Call) else node
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) in self.modules:
            return target.attr
        return self.names.get(target.id) if isinstance(target, ast.Name) else None

    def _function(self, node: ast.FunctionDef) -> None:
        decorators = [(self._api(item), item) for item in node.decorator_list]
        declares = [(api, item) for api, item in decorators if api in _DATA_SETS or api == "append_flow"]
        for api, item in declares:
            flow = api == "append_flow"
            name = self._text(_argument(item, "target" if flow else "name"), item, f"the {api} of {node.name}()")
            if name is None and (flow or _argument(item, "name") is not None):
                continue
            kind = None if flow else _DATA_SETS[str(api)]
            made = Declared(name or node.name, kind, node.lineno)
            streaming = self._reads(node, made, set())
            if ast.unparse(_target(item)).startswith("dlt") and kind == "streaming_table" and not streaming:
                made.kind = "materialized_view"
            if _is_true(_argument(item, "temporary")):
                made.kind = "temporary_view"
            made.comment = self._comment(item) or ast.get_docstring(node) or ""
            if not flow:
                for other, decorator in decorators:
                    if other in _EXPECT or other in _EXPECT_ALL:
                        made.expectations += self._expectations(str(other), decorator, made.name)
            self.found.declared.append(made)

    def _call(self, node: ast.Call) -> None:
        api = self._api(node)
        if api in _STREAMING_TABLES:
            name = self._text(_argument(node, "name", 0), node, api)
            if name is not None:
                made = Declared(name, "streaming_table", node.lineno, comment=self._comment(node))
                for keyword in node.keywords:
                    if keyword.arg in _EXPECT_ALL:
                        made.expectations += self._pairs(keyword.value, _EXPECT_ALL[keyword.arg], name)
                self.found.declared.append(made)
        elif api in _CDC:
            target = self._text(_argument(node, "target", 0), node, api)
            source = self._text(_argument(node, "source", 1), node, api)
            if target is not None and source is not None:
                self.found.declared.append(Declared(target, None, node.lineno, [_without_live(source)]))

    def _reads(self, function: ast.FunctionDef, made: Declared, seen: set[str]) -> bool:
        """Add what a function reads, functions of the same file that it calls included; whether any is a stream."""
        streaming = False
        local = self.values.inside(function)
        for node in ast.walk(function):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id in self.functions and node.func.id not in seen:
                seen.add(node.func.id)
                streaming |= self._reads(self.functions[node.func.id], made, seen)
                continue
            kind = self._reading(node)
            if kind is None:
                continue
            streaming |= kind == "stream"
            argument = _argument(node, "tableName" if kind != "sql" else "sqlQuery", 0) or _argument(node, "name")
            try:
                text = local.text(argument)
            except NotWrittenError:
                what = f"{ast.unparse(node)[:80]} reads a name that is not written as text"
                self.found.unread.append(Unread(node.lineno, what, made.name))
                continue
            if kind == "sql":
                try:
                    tree = parsed(text, argument.lineno if argument else node.lineno)
                except QueryError as error:
                    raise PipelineError(f"{self.file}:{error.line}: {error}") from None
                streaming |= streams(tree)
                made.reads += tables_read(tree)
            else:
                made.reads.append(_without_live(text))
        return streaming

    def _reading(self, node: ast.Call) -> str | None:
        """``table``, ``stream`` or ``sql`` where a call reads; ``files`` are no tables, and None too."""
        api = self._api(node)
        if api in ("read", "read_stream"):
            return "stream" if api == "read_stream" else "table"
        if not isinstance(node.func, ast.Attribute):
            return None
        owner = ast.unparse(node.func.value)
        if node.func.attr == "sql" and owner.split(".")[-1] == "spark":
            return "sql"
        if node.func.attr != "table" or self._api(node) is not None or not _is_reader(owner):
            return None
        return "stream" if "readStream" in owner else "table"

    def _expectations(self, api: str, item: ast.expr, data_set: str) -> list[Expectation]:
        if not isinstance(item, ast.Call):
            return []
        if api in _EXPECT_ALL:
            return self._pairs(item.args[0] if item.args else None, _EXPECT_ALL[api], data_set)
        name = self._text(_argument(item, "name", 0), item, api, data_set)
        condition = self._text(_argument(item, "inv", 1) or _argument(item, "condition"), item, api, data_set)
        return [Expectation(name, condition, _EXPECT[api])] if name is not None and condition is not None else []

    def _pairs(self, node: ast.expr | None, action: Action, data_set: str) -> list[Expectation]:
        try:
            pairs = self.values.pairs(node)
        except NotWrittenError:
            line = node.lineno if node is not None else 1
            self.found.unread.append(Unread(line, "the expectations are not written as text", data_set))
            return []
        return [Expectation(name, condition, action) for name, condition in pairs.items()]

    def _text(self, argument: ast.expr | None, node: ast.expr, what: str, data_set: str | None = None) -> str | None:
        if argument is None:
            return None
        try:
            return self.values.text(argument)
        except NotWrittenError:
            said = f"{what}: {ast.unparse(argument)[:80]} is not written as text"
            self.found.unread.append(Unread(node.lineno, said, data_set))
            return None

    def _comment(self, node: ast.expr) -> str:
        argument = _argument(node, "comment")
        try:
            return self.values.text(argument) if argument is not None else ""
        except NotWrittenError:
            return ""


def _imports(tree: ast.Module) -> tuple[set[str], dict[str, str]]:
    """The names by which a file calls the pipelines module, and single functions of it."""
    modules, names = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in _MODULES:
                    modules.add(alias.asname or alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if f"{node.module}.{alias.name}" in _MODULES:
                    modules.add(alias.asname or alias.name)
                elif node.module in _MODULES:
                    names[alias.asname or alias.name] = alias.name
    return modules, names


def _argument(node: ast.expr, name: str, position: int | None = None) -> ast.expr | None:
    if not isinstance(node, ast.Call):
        return None
    if position is not None and len(node.args) > position:
        return node.args[position]
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _target(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _is_reader(owner: str) -> bool:
    return owner.split(".")[-1] == "spark" or any(word in owner for word in ("spark.read", ".readStream"))


def _without_live(name: str) -> str:
    return name[5:] if name.lower().startswith("live.") else name


def unread_lines(file: Path, unread: Iterable[Unread]) -> str:
    """What could not be read, a line each."""
    return "\n".join(f"{file}:{item.line}: {item.what}" for item in unread)
