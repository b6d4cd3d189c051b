"""A pipeline from its files, read without running them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...warehouse.lakehouse import TableName
from .python_source import Unread, read_python, unread_lines
from .spec import DataSet, Expectation, Kind, PipelineError
from .sql_source import read_sql


def short_name(name: str, catalog: str, schema: str, views: Sequence[str] = ()) -> str:
    """The name a data set is known by: ``schema.table``, a view's bare name, all three parts in another catalog."""
    bare = name.strip("`").lower()
    if "." not in bare and bare in views:
        return bare
    try:
        full = TableName.parse(name, catalog, schema)
    except ValueError as error:
        raise PipelineError(str(error)) from None
    return f"{full.schema}.{full.table}" if full.catalog == catalog else str(full)


def read_pipeline(
    files: Sequence[Path],
    catalog: str,
    schema: str,
    configuration: Mapping[str, str],
    declared: Mapping[str, DataSet],
    told: str,
) -> tuple[DataSet, ...]:
    """The data sets of all files, in the order in which they can be made.

    Args:
        files: Python and SQL files.
        catalog: Catalog of names that have none.
        schema: Schema of names that have none.
        configuration: Parameters of the pipeline.
        declared: Data sets of the YAML, for what the files do not write down; ``origin`` is the file's name.
        told: Where the YAML is, for messages.

    Raises:
        PipelineError: a file cannot be read, says something twice or not at all, or data sets go in a circle.
    """
    found = [(item, file) for file in files for item in _items(file, configuration, declared, told)]
    views = [item.name.strip("`").lower() for item, _ in found if item.kind == "temporary_view"]
    made: dict[str, DataSet] = {}
    for item, _file in found:
        name = short_name(item.name, catalog, schema, views)
        reads = tuple(dict.fromkeys(short_name(read, catalog, schema, views) for read in item.reads))
        if item.kind is None:
            continue
        if name in made:
            raise PipelineError(f"{item.origin}: {name} is declared already, at {made[name].origin}")
        made[name] = replace(item, name=name, reads=reads)
    for item, _file in found:
        name = short_name(item.name, catalog, schema, views)
        if item.kind is not None:
            continue
        if name not in made:
            raise PipelineError(
                f"{item.origin}: a flow goes into {name}, which no file declares; there are: "
                f"{', '.join(made) or 'none'}"
            )
        reads = [short_name(read, catalog, schema, views) for read in item.reads]
        made[name] = replace(made[name], reads=tuple(dict.fromkeys([*made[name].reads, *reads])))
    for name, given in declared.items():
        key = short_name(name, catalog, schema, views)
        reads = tuple(short_name(read, catalog, schema, views) for read in given.reads)
        if key in made:
            mine = made[key]
            made[key] = replace(
                mine,
                reads=tuple(dict.fromkeys([*mine.reads, *reads])),
                expectations=mine.expectations + given.expectations,
            )
        else:
            made[key] = replace(given, name=key, reads=reads)
    if not made:
        raise PipelineError(f"{told}: the files declare no data set: {', '.join(file.name for file in files)}")
    return in_order(made)


def _items(file: Path, configuration: Mapping[str, str], declared: Mapping[str, DataSet], told: str) -> list[DataSet]:
    """What one file declares; flows into a data set have no kind yet."""
    if file.suffix == ".sql":
        return [
            _item(f"{file}:{one.line}", one.target, one.kind, one.reads, one.expectations, one.comment)
            for one in read_sql(file, configuration)
        ]
    python = read_python(file, configuration)
    open_ones = [item for item in python.unread if not _is_declared(item, file, declared)]
    if open_ones:
        raise PipelineError(
            f"{unread_lines(file, open_ones)}\nNothing runs when definitions load: write it as text, or name the data "
            f"set under declared in {told}, with its file and what it reads."
        )
    return [
        _item(f"{file}:{one.line}", one.name, one.kind, tuple(one.reads), tuple(one.expectations), one.comment)
        for one in python.declared
    ]


def _item(
    origin: str,
    name: str,
    kind: Kind | None,
    reads: tuple[str, ...],
    expectations: tuple[Expectation, ...],
    comment: str,
) -> DataSet:
    return DataSet(name, kind, reads, expectations, comment, origin)  # type: ignore[arg-type]  # None: a flow


def _is_declared(item: Unread, file: Path, declared: Mapping[str, DataSet]) -> bool:
    if item.data_set is not None:
        names = [name.rpartition(".")[2].lower() for name in declared]
        return item.data_set.rpartition(".")[2].lower() in names
    return any(given.origin == file.name for given in declared.values())


def in_order(made: Mapping[str, DataSet]) -> tuple[DataSet, ...]:
    """Data sets, each after those that it reads.

    Raises:
        PipelineError: they go in a circle.
    """
    ordered: dict[str, DataSet] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in ordered or name not in made:
            return
        if name in above:
            circle = " → ".join([*above[above.index(name) :], name])
            raise PipelineError(f"{made[name].origin}: data sets go in a circle: {circle}")
        for read in made[name].reads:
            if read != name:
                add(read, (*above, name))
        ordered[name] = made[name]

    for name in made:
        add(name, ())
    return tuple(ordered.values())
