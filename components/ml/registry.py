"""The component that makes an accepted candidate the model that is used."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..governance.policy import POLICY_FILE, policy_for
from .attributes import KEY_PATTERN, DependsOn, Experiment, Key, RegisteredModel, TrainingKey
from .data import Place, place_of
from .example_chain import ChainParams, scaffold_chain
from .model_store import Candidate, latest_candidate, version_by_alias
from .model_validation import gate_tag
from .tracking import Tracking, TrackingError, git_commit, tracking

_ALIAS = r"^[A-Za-z][A-Za-z0-9_-]*$"


class ModelRegistryScaffolder(dg.Scaffolder[ChainParams]):
    """Writes a registration, and the training and gate before it unless a training is named."""

    @classmethod
    def get_scaffold_params(cls) -> type[ChainParams]:
        """Name and training."""
        return ChainParams

    def scaffold(self, request: dg.ScaffoldRequest[ChainParams]) -> None:
        """Write ``defs.yaml``, and real data beside it."""
        scaffold_chain(request, "ModelRegistryComponent")


@dg.scaffold_with(ModelRegistryScaffolder)
@dataclass
class ModelRegistryComponent(StrictComponent):
    """The registered model: its alias champion moves to the latest candidate that passed its gate.

    The version that was champion gets the alias ``previous``. A second run changes nothing. To roll back, set
    ``champion_version`` to the number of a version and materialise; take it out again to go on.

    .. code-block:: yaml

        type: components.ModelRegistryComponent
        attributes:
          key: ml/wine_registered
          description: The wine model that is used.
          training: ml/wine_model
          validation: ml/wine_gate
          registered_model: wine
          owners: ["team:data-science"]
          group: ml
          tags: {classification: internal}
    """

    key: Key
    description: Description
    training: TrainingKey
    registered_model: RegisteredModel
    validation: Annotated[
        str | None,
        dg.Resolver.default(
            description="Asset key of the gate that the candidate must have passed.",
            examples=["ml/wine_gate"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ] = None
    alias: Annotated[
        str,
        dg.Resolver.default(description="Alias of the version that is used.", json_schema_extra={"pattern": _ALIAS}),
    ] = "champion"
    previous_alias: Annotated[
        str,
        dg.Resolver.default(
            description="Alias of the version that was used before.", json_schema_extra={"pattern": _ALIAS}
        ),
    ] = "previous"
    champion_version: Annotated[
        int | None,
        dg.Resolver.default(
            description="Version that is used whatever the candidate is; to roll back.",
            json_schema_extra={"minimum": 1},
        ),
    ] = None
    experiment: Experiment = None
    depends_on: DependsOn = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where both aliases are one."""
        if self.alias == self.previous_alias:
            raise ValueError(f"previous_alias: {self.previous_alias!r} is the alias of the champion too")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        place = place_of(context)
        upstream = [self.training, *([self.validation] if self.validation else []), *self.depends_on]

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            deps=[dg.AssetKey.from_user_string(key) for key in dict.fromkeys(upstream)],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"mlflow"},
        )
        def model_registry(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            mlflow = tracking(place.project_root)
            try:
                mlflow.activate()
                with mlflow.explained():
                    return self._promote(context, place, mlflow)
            except TrackingError as error:
                raise error.as_failure(self.key) from None

        return dg.Definitions(assets=[model_registry])

    def _promote(self, context: dg.AssetExecutionContext, place: Place, mlflow: Tracking) -> dg.MaterializeResult:
        if self.champion_version:
            version = self._pinned(mlflow, self.champion_version)
        else:
            candidate = latest_candidate(mlflow, self.training, self.experiment, self.key)
            self._check_gate(mlflow, candidate)
            version = self._registered(mlflow, candidate, self._version_tags(context, place))
        before = version_by_alias(mlflow, self.registered_model, self.alias)
        if before is None or str(before.version) != str(version.version):
            if before is not None:
                mlflow.client.set_registered_model_alias(self.registered_model, self.previous_alias, before.version)
            mlflow.client.set_registered_model_alias(self.registered_model, self.alias, version.version)
            context.log.info(f"{self.registered_model}@{self.alias} is version {version.version} now")
        return dg.MaterializeResult(
            metadata={
                "registered_model": self.registered_model,
                "version": int(version.version),
                "alias": self.alias,
                "version_before": int(before.version) if before else dg.MetadataValue.null(),
                "candidate_run_id": version.run_id,
                "rolled_back": self.champion_version is not None,
                "mlflow": mlflow.address,
            }
        )

    def _pinned(self, mlflow: Tracking, number: int) -> Any:
        found = {int(version.version): version for version in _versions(mlflow, self.registered_model)}
        if number not in found:
            known = ", ".join(map(str, sorted(found))) or "none"
            raise dg.Failure(
                description=f"{self.key}: champion_version: {self.registered_model} has no version {number}; "
                f"it has: {known}",
                allow_retries=False,
            )
        return found[number]

    def _check_gate(self, mlflow: Tracking, candidate: Candidate) -> None:
        if self.validation is None:
            return
        said = mlflow.client.get_run(candidate.run_id).data.tags.get(gate_tag(self.validation))
        if said != "passed":
            told = "did not pass" if said else "was not judged by"
            raise dg.Failure(
                description=f"{self.key}: the candidate of {self.training} (run {candidate.run_id}) {told} "
                f"{self.validation}; the champion stays",
                allow_retries=False,
            )

    def _registered(self, mlflow: Tracking, candidate: Candidate, tags: dict[str, str]) -> Any:
        """The version of a candidate, registered unless a run before has done so."""
        from mlflow.exceptions import MlflowException

        for version in _versions(mlflow, self.registered_model):
            if version.run_id == candidate.run_id:
                return version
        try:
            mlflow.client.create_registered_model(self.registered_model, description=self.description)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return mlflow.activate().register_model(candidate.model_uri, self.registered_model, tags=tags)

    def _version_tags(self, context: dg.AssetExecutionContext, place: Place) -> dict[str, str]:
        tags = {
            "dagster.run_id": context.run.run_id,
            "dagster.asset_key": self.key,
            "training": self.training,
            "owners": ",".join(self.owners),
            "classification": self.tags.get("classification", ""),
            "validation": self.validation or "",
            "git_commit": git_commit(place.project_root) or "",
        }
        if (place.project_root / POLICY_FILE).is_file():
            tags["policy"] = policy_for(place.project_root).fingerprint
        return {name: value for name, value in tags.items() if value}


def _versions(mlflow: Tracking, name: str) -> list[Any]:
    quoted = name.replace("'", "")
    return list(mlflow.client.search_model_versions(f"name = '{quoted}'"))
