"""The component that loads resources of a REST API through dlt."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import dagster as dg
from pydantic import BaseModel, Field, model_validator

from ..base import StrictModel
from ..formats import matching
from ..governance.policy import policy_for
from ..secrets import SecretMissingError, SecretStoreError, read_secret
from .attributes import NAME_PATTERN, LoadedTable
from .files import SourceError, SourceUnreachableError
from .rest.catalogue import own_connector, packaged_connector, sample_file, sample_records
from .rest.format import Connector
from .rest.loading import RestLoader
from .sample import sample_reason
from .table_source import Place, Run, TableSource

RESOURCE_NAME = matching(NAME_PATTERN, "lower-case words joined by underscores")


class OwnConnector(StrictModel):
    """A connector of the project's own, in the catalogue's format: in a file, or here."""

    file: Annotated[
        str | None,
        dg.Resolver.default(
            description="File beside this one.", examples=["my_api.yaml"], json_schema_extra={"pattern": r"\S"}
        ),
    ] = None
    inline: Annotated[Connector | None, dg.Resolver.default(description="The connector itself.")] = None

    @model_validator(mode="after")
    def _check(self) -> "OwnConnector":
        if bool(self.file) == bool(self.inline):
            raise ValueError("connector: expected file or inline, one of the two")
        return self


class RestSourceParams(BaseModel):
    """What the scaffolder asks."""

    connector: str = Field(default="stripe", description="Name in the catalogue", pattern=NAME_PATTERN)


class RestSourceScaffolder(dg.Scaffolder[RestSourceParams]):
    """Writes a source with every resource of a connector; it loads the sample until its secrets are set."""

    @classmethod
    def get_scaffold_params(cls) -> type[RestSourceParams]:
        """The connector."""
        return RestSourceParams

    def scaffold(self, request: dg.ScaffoldRequest[RestSourceParams]) -> None:
        """Write ``defs.yaml``."""
        name = request.params.connector
        connector = packaged_connector(name)
        attributes: dict[str, Any] = {"connector": name, "dataset": name, "group": "ingestion"}
        attributes["resources"] = [resource.name for resource in connector.resources]
        dg.scaffold_component(request, attributes)


@dataclass(frozen=True)
class Access:
    """How the API is reached in one run, or the sample in its place.

    Args:
        secrets: Values of the secrets by the connector's names; empty where the sample is loaded.
        sample: File of the sample, or None.
    """

    secrets: dict[str, str]
    sample: Path | None


@dg.scaffold_with(RestSourceScaffolder)
@dataclass(kw_only=True)
class RestSourceComponent(TableSource):
    """Resources of a REST API, one asset each, loaded into the warehouse by dlt.

    The connector comes from the packaged catalogue or is written in the same format. It only reads. Secrets are read
    when a run begins; until they are set, the local target loads the connector's sample. A table with a cursor goes on
    from its greatest value; the others are read as a whole.

    .. code-block:: yaml

        type: components.RestSourceComponent
        attributes:
          connector: stripe
          resources: [customers, invoices]
          start_date: "2024-01-01"
          dataset: stripe
          secrets: {STRIPE_API_KEY: STRIPE_KEY_OF_SALES}
          owners: [team:data]
          group: stripe
          tags: {classification: confidential}
    """

    connector: Annotated[
        str | OwnConnector,
        dg.Resolver.default(
            description="Name in the catalogue, or a connector of your own.",
            examples=["stripe", {"file": "my_api.yaml"}],
            json_schema_extra={"pattern": NAME_PATTERN},
        ),
    ]
    resources: Annotated[
        list[Annotated[str, RESOURCE_NAME]],
        dg.Resolver.default(description="Resources to load; all when left out.", examples=[["customers"]]),
    ] = field(default_factory=list)
    start_date: Annotated[
        str | None,
        dg.Resolver.default(
            description="Where the first load begins, a date in UTC; everything when left out.",
            examples=["2024-01-01"],
            json_schema_extra={"pattern": r"^\d{4}-\d{2}-\d{2}$"},
        ),
    ] = None
    variables: Annotated[
        dict[str, str],
        dg.Resolver.default(description="What the connector asks for by name.", examples=[{"shop": "acme-store"}]),
    ] = field(default_factory=dict)
    secrets: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="Other names for the connector's secrets, as for a second account; values are never here.",
            examples=[{"STRIPE_API_KEY": "STRIPE_KEY_OF_SALES"}],
        ),
    ] = field(default_factory=dict)

    loader_class: ClassVar[type[RestLoader]] = RestLoader

    def __post_init__(self) -> None:
        self._found: Connector | None = None
        if self.start_date:
            try:
                dt.date.fromisoformat(self.start_date)
            except ValueError as error:
                raise ValueError(f"start_date: {self.start_date!r} is not valid; {error}") from None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One subsettable multi-asset with an asset for each resource."""
        self._found = self._connector(context.path)
        self._check(self._found)
        return super().build_defs(context)

    def _connector(self, folder: Path) -> Connector:
        if isinstance(self.connector, str):
            return packaged_connector(self.connector)
        return self.connector.inline or own_connector(folder / (self.connector.file or ""))

    def _check(self, connector: Connector) -> None:
        """Raise ValueError where the attributes name what the connector does not have."""
        names = [resource.name for resource in connector.resources]
        variables = {*connector.variables, *connector.defaults}
        for attribute, given, known in (
            ("resources", self.resources, names),
            ("secrets", self.secrets, connector.secrets),
            ("variables", self.variables, variables),
        ):
            if unknown := [name for name in given if name not in known]:
                there = ", ".join(sorted(known)) or "none"
                raise ValueError(f"{attribute}: {unknown[0]!r} is not valid; {connector.title} has: {there}")
        if twice := sorted({name for name in self.resources if self.resources.count(name) > 1}):
            raise ValueError(f"resources: {twice[0]!r} is there more than once")

    @property
    def declared(self) -> Connector:
        """The connector, once ``build_defs`` has found it."""
        if self._found is None:
            raise RuntimeError("build_defs finds the connector")
        return self._found

    @property
    def declared_tables(self) -> Sequence[LoadedTable]:
        """The resources that are wanted."""
        return [table for table in self.declared.resources if not self.resources or table.name in self.resources]

    def kind_of(self, table: LoadedTable) -> str:
        """The connector's name, or ``rest`` for one of the project's own."""
        return self.connector if isinstance(self.connector, str) else "rest"

    def opened(self, place: Place) -> tuple[Access, str | None]:
        """The API with its secrets, or its sample and why."""
        store = policy_for(place.project_root).secrets if self.declared.secrets else None
        found, missing = {}, []
        for name, own_name in self._secret_names().items():
            try:
                found[name] = read_secret(store, own_name)  # type: ignore[arg-type]  # there is one where names are
            except SecretMissingError:
                missing.append(own_name)
            except SecretStoreError as error:
                raise SourceUnreachableError(str(error)) from None
        if not missing:
            return Access(found, None), None
        told = f"{self.declared.title}: secret {', '.join(missing)} is not set"
        if found:
            raise SourceError(f"{told}, though {', '.join(self._secret_names()[name] for name in found)} is. Set it.")
        sample = sample_file(self.connector) if isinstance(self.connector, str) else None
        has_sample = bool(sample and sample.is_file())
        return Access({}, sample), sample_reason(told, has_sample=has_sample)

    def loaded(self, run: Run, source: Access) -> tuple[Sequence[Any], dict[str, str]]:
        """Load the resources of a run.

        Raises:
            SourceError: the API refuses, or what it answers cannot be loaded; then nothing was loaded.
        """
        assert isinstance(run.loader, RestLoader)  # noqa: S101 - loader_class
        if source.sample:
            done = run.loader.load_sample(sample_records(source.sample), run.tables)
        else:
            done = self._load_api(run, run.loader, source)
        for table in done:
            run.context.log.info(f"{self.dataset}.{table.table.name}: {table.rows:,} rows loaded")
        return done, {table.table.name: table.load_id for table in done if table.load_id}

    def _load_api(self, run: Run, loader: RestLoader, access: Access) -> list[Any]:
        from .rest.config import Filled, rest_config
        from .rest.faults import told

        connector, names = self.declared, self._secret_names()
        progress = {table.name: loader.progress(table)[1] for table in run.tables}
        start = dt.datetime.fromisoformat(f"{self.start_date}T00:00:00+00:00") if self.start_date else None
        try:
            filled = Filled(
                {**connector.defaults, **{name: value for name, value in self.variables.items() if value}},
                access.secrets,
            )
            config = rest_config(connector, [table.name for table in run.tables], filled, progress, start)
            return loader.load_api(config, run.tables, freeze=self.schema_contract == "freeze")
        except Exception as error:
            values = {names[name]: value for name, value in access.secrets.items()}
            if fault := told(error, connector.title, values):
                raise fault from None
            raise

    def _secret_names(self) -> dict[str, str]:
        """The project's names of the secrets by the connector's."""
        return {name: self.secrets.get(name, name) for name in self.declared.secrets}

    def read(self, run: Run, source: Any) -> list[Any]:
        """What was loaded: reading and loading are one here."""
        return list(self.loaded(run, source)[0])

    def _result(
        self, context: dg.AssetExecutionContext, staged: Any, load_id: str | None, pipeline: str, sample: bool
    ) -> dg.MaterializeResult:
        engine = context.resources.warehouse.engine
        if engine.relation_type(self.dataset, staged.table.name):
            return super()._result(context, staged, load_id, pipeline, sample)
        nothing: dict[str, Any] = {"dagster/row_count": 0, "rows_loaded": 0, "dlt_pipeline": pipeline}
        return dg.MaterializeResult(asset_key=[self.dataset, staged.table.name], metadata=nothing)
