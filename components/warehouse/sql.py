"""SQL of a component: written in its YAML or in a file beside it, with Jinja filled in when it runs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg


@dataclass(frozen=True)
class Partition:
    """What ``{{ partition.key }}``, ``{{ partition.start }}`` and ``{{ partition.end }}`` stand for in SQL."""

    key: str
    start: str
    end: str


# In the SQL of a YAML file Dagster fills in templates at load: these names survive that as they were.
PARTITION_PLACEHOLDERS = Partition("{{ partition.key }}", "{{ partition.start }}", "{{ partition.end }}")


@dataclass(frozen=True)
class Sql:
    """A SQL template and where it comes from, for messages."""

    text: str
    origin: str

    @property
    def version(self) -> str:
        """A code version that changes with the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def render(self, partition: Partition | None = None) -> str:
        """The SQL to run; raises ``dg.Failure`` where the template cannot be filled in."""
        import jinja2

        try:
            return _environment().from_string(self.text).render({"partition": partition} if partition else {})
        except jinja2.TemplateError as error:
            raise dg.Failure(description=f"{self.origin}: {error}", allow_retries=False) from None


def load_sql(sql: str | None, sql_file: str | None, folder: Path, *, partitioned: bool) -> Sql:
    """The SQL of a component.

    Args:
        sql: Text from the YAML.
        sql_file: File beside the YAML, instead of ``sql``.
        folder: Folder of the YAML.
        partitioned: Whether ``partition`` may be used.

    Raises:
        ValueError: there is none or both, the file is missing, or the template cannot be filled in.
    """
    import jinja2
    from jinja2 import meta

    if (sql is None) == (sql_file is None):
        raise ValueError(
            f"{folder / 'defs.yaml'}: expected one of sql and sql_file, not {'both' if sql else 'neither'}"
        )
    if sql_file is not None:
        path = folder / sql_file
        if not path.is_file():
            present = ", ".join(sorted(file.name for file in folder.glob("*.sql"))) or "none"
            raise ValueError(
                f"{folder / 'defs.yaml'}: sql_file {sql_file!r} does not exist; .sql files there: {present}"
            )
        loaded = Sql(path.read_text(encoding="utf-8"), str(path))
    else:
        loaded = Sql(str(sql), str(folder / "defs.yaml"))
    if not loaded.text.strip():
        raise ValueError(f"{loaded.origin}: the SQL is empty")
    try:
        used = meta.find_undeclared_variables(_environment().parse(loaded.text))
    except jinja2.TemplateSyntaxError as error:
        raise ValueError(f"{loaded.origin}: line {error.lineno} of the SQL: {error.message}") from None
    known = {"partition"} if partitioned else set()
    if unknown := sorted(used - known):
        hint = "partition.key, partition.start and partition.end" if partitioned else "nothing without a partition"
        raise ValueError(f"{loaded.origin}: the SQL uses {', '.join(unknown)}, but templates can use {hint}")
    return loaded


def defs_folder(context: dg.ComponentLoadContext) -> Path:
    """The folder of the YAML that is loaded."""
    path = context.path
    return path if path.is_dir() else path.parent


def _environment() -> Any:
    import jinja2

    return jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - SQL, not HTML
