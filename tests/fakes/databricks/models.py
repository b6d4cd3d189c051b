"""Registered models of Unity Catalog, by the SDK's API and by that of MLflow's registry; artifacts are files."""

import json
import re
import time
from importlib import import_module
from typing import Any

from databricks.sdk.service import catalog as api

from tests.fakes.databricks.wire import Ask, Refused, checked, route, shaped

_UC = "mlflow/unity-catalog"


class Models:
    """Models by full name, each with versions and aliases."""

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.models: dict[str, dict[str, Any]] = {}

    def add(self, name: str, versions: int, **aliases: int) -> None:
        """A model with versions, as a training would have left it."""
        self.models[name] = {"versions": {str(n): self._version(name, n) for n in range(1, versions + 1)}}
        self.models[name] |= {"aliases": {alias: str(number) for alias, number in aliases.items()}, "tags": {}}

    @route("POST", "unity-catalog/models")
    def create(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.RegisteredModelsAPI.create, ask.body)
        self.add(f"{body['catalog_name']}.{body['schema_name']}.{body['name']}", 0)
        return body

    @route("GET", "unity-catalog/models/{name}")
    def get(self, ask: Ask) -> dict[str, Any]:
        held = self._held(ask["name"])
        catalog, schema, name = ask["name"].split(".")
        aliases = [{"alias_name": alias, "version_num": int(number)} for alias, number in held["aliases"].items()]
        described = {"full_name": ask["name"], "catalog_name": catalog, "schema_name": schema, "name": name}
        return shaped(api.RegisteredModelInfo, {**described, "aliases": aliases})

    @route("GET", "unity-catalog/models/{name}/versions/{number}")
    def get_version(self, ask: Ask) -> dict[str, Any]:
        return shaped(api.ModelVersionInfo, self._info(ask["name"], ask["number"]))

    @route("GET", "unity-catalog/models/{name}/aliases/{alias}")
    def get_alias(self, ask: Ask) -> dict[str, Any]:
        return shaped(api.ModelVersionInfo, self._info(ask["name"], self._aliased(ask["name"], ask["alias"])))

    @route("PUT", "unity-catalog/models/{name}/aliases/{alias}")
    def set_alias(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.RegisteredModelsAPI.set_alias, ask.body)
        self._set(ask["name"], ask["alias"], str(body["version_num"]))
        return shaped(api.RegisteredModelAlias, {"alias_name": ask["alias"], "version_num": body["version_num"]})

    @route("DELETE", "unity-catalog/models/{name}/aliases/{alias}")
    def delete_alias(self, ask: Ask) -> dict[str, Any]:
        self._aliased(ask["name"], ask["alias"])
        del self._held(ask["name"])["aliases"][ask["alias"]]
        return {}

    @route("POST", f"{_UC}/registered-models/create")
    def mlflow_create(self, ask: Ask) -> dict[str, Any]:
        asked = _parsed(ask, "CreateRegisteredModelRequest")
        if asked.name in self.models:
            message = f"Routine or Model '{asked.name}' already exists."
            raise Refused(400, "RESOURCE_ALREADY_EXISTS", message)
        if asked.name.count(".") != 2:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"{asked.name} is no three-level name")
        self.add(asked.name, 0)
        return {"registered_model": self._model(asked.name)}

    @route("GET", f"{_UC}/registered-models/get")
    def mlflow_get(self, ask: Ask) -> dict[str, Any]:
        return {"registered_model": self._model(ask.query["name"])}

    @route("GET", f"{_UC}/registered-models/search")
    def mlflow_search(self, ask: Ask) -> dict[str, Any]:
        return {"registered_models": [self._model(name) for name in self.models]}

    @route("POST", f"{_UC}/registered-models/alias")
    def mlflow_set_alias(self, ask: Ask) -> dict[str, Any]:
        asked = _parsed(ask, "SetRegisteredModelAliasRequest")
        self._set(asked.name, asked.alias, asked.version)
        return {}

    @route("DELETE", f"{_UC}/registered-models/alias")
    def mlflow_delete_alias(self, ask: Ask) -> dict[str, Any]:
        asked = _parsed(ask, "DeleteRegisteredModelAliasRequest")
        self._held(asked.name)["aliases"].pop(asked.alias, None)
        return {}

    @route("GET", f"{_UC}/registered-models/alias")
    def mlflow_alias(self, ask: Ask) -> dict[str, Any]:
        number = self._aliased(ask.query["name"], ask.query["alias"])
        return {"model_version": self._shown(ask.query["name"], number)}

    @route("GET", f"{_UC}/registered-models:is-databricks-sdk-models-artifact-repository-enabled")
    def by_files(self, ask: Ask) -> dict[str, Any]:
        return {"is_databricks_sdk_models_artifact_repository_enabled": True}

    @route("POST", f"{_UC}/registered-models/set-tag")
    def mlflow_model_tag(self, ask: Ask) -> dict[str, Any]:
        asked = _parsed(ask, "SetRegisteredModelTagRequest")
        self._held(asked.name)["tags"][asked.key] = asked.value
        return {}

    @route("POST", f"{_UC}/model-versions/create")
    def mlflow_create_version(self, ask: Ask) -> dict[str, Any]:
        asked = _parsed(ask, "CreateModelVersionRequest")
        versions = self._held(asked.name)["versions"]
        number = str(max(map(int, versions), default=0) + 1)
        versions[number] = {**self._version(asked.name, int(number)), "status": "PENDING_REGISTRATION"}
        versions[number] |= {"source": asked.source, "run_id": asked.run_id, "description": asked.description}
        versions[number]["tags"] = {tag.key: tag.value for tag in asked.tags}
        return {"model_version": self._shown(asked.name, number)}

    @route("POST", f"{_UC}/model-versions/finalize")
    def mlflow_finalize(self, ask: Ask) -> dict[str, Any]:
        asked = _parsed(ask, "FinalizeModelVersionRequest")
        held = self._held(asked.name)["versions"][asked.version]
        folder = self._workspace.files.place(f"/Models/{asked.name.replace('.', '/')}/{asked.version}")
        if not (folder / "MLmodel").is_file():
            raise Refused(400, "INVALID_PARAMETER_VALUE", "The model version has no MLmodel file.")
        held["status"] = "READY"
        return {"model_version": self._shown(asked.name, asked.version)}

    @route("GET", f"{_UC}/model-versions/get")
    def mlflow_version(self, ask: Ask) -> dict[str, Any]:
        return {"model_version": self._shown(ask.query["name"], ask.query["version"])}

    @route("GET", f"{_UC}/model-versions/search")
    def mlflow_versions(self, ask: Ask) -> dict[str, Any]:
        found = re.search(r"name\s*=\s*'([^']+)'", ask.query.get("filter", ""))
        names = [found[1]] if found else list(self.models)
        return {
            "model_versions": [self._shown(n, v) for n in names if n in self.models for v in self._held(n)["versions"]]
        }

    @route("GET", f"{_UC}/model-versions/get-download-uri")
    def mlflow_download(self, ask: Ask) -> dict[str, Any]:
        name, version = ask.query["name"], ask.query["version"]
        return {"artifact_uri": f"/Models/{name.replace('.', '/')}/{version}"}

    @route("POST", f"{_UC}/model-versions/set-tag")
    def mlflow_version_tag(self, ask: Ask) -> dict[str, Any]:
        asked = _parsed(ask, "SetModelVersionTagRequest")
        self._held(asked.name)["versions"][asked.version]["tags"][asked.key] = asked.value
        return {}

    @route("POST", f"{_UC}/model-versions/emit-lineage")
    def mlflow_lineage(self, ask: Ask) -> dict[str, Any]:
        return {}

    def _version(self, name: str, number: int) -> dict[str, Any]:
        now = int(time.time() * 1000)
        return {"status": "READY", "created": now, "tags": {}, "source": "", "run_id": "", "description": ""}

    def _held(self, name: str) -> dict[str, Any]:
        if name not in self.models:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Registered model '{name}' does not exist.")
        return self.models[name]

    def _aliased(self, name: str, alias: str) -> str:
        if alias not in self._held(name)["aliases"]:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Alias '{alias}' of model '{name}' does not exist.")
        return self._held(name)["aliases"][alias]

    def _set(self, name: str, alias: str, number: str) -> None:
        if number not in self._held(name)["versions"]:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Model version '{name}' {number} does not exist.")
        self._held(name)["aliases"][alias] = number

    def _info(self, full_name: str, number: str) -> dict[str, Any]:
        if number not in self._held(full_name)["versions"]:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Model version '{full_name}' {number} does not exist.")
        catalog, schema, name = full_name.split(".")
        described = {"catalog_name": catalog, "schema_name": schema, "model_name": name, "version": int(number)}
        return {**described, "status": "READY"}

    def _model(self, name: str) -> dict[str, Any]:
        held = self._held(name)
        aliases = [{"alias": alias, "version": number} for alias, number in held["aliases"].items()]
        tags = [{"key": key, "value": value} for key, value in held["tags"].items()]
        return _fitting("RegisteredModel", {"name": name, "aliases": aliases, "tags": tags})

    def _shown(self, name: str, number: str) -> dict[str, Any]:
        held = self._held(name)["versions"].get(number)
        if held is None:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Model version '{name}' {number} does not exist.")
        shown = {
            "name": name,
            "version": number,
            "creation_timestamp": held["created"],
            "status": held["status"],
            "source": held["source"],
            "run_id": held["run_id"],
            "description": held["description"],
            "storage_location": f"/Models/{name.replace('.', '/')}/{number}",
            "tags": [{"key": key, "value": value} for key, value in held["tags"].items()],
            "aliases": [{"alias": a, "version": v} for a, v in self._held(name)["aliases"].items() if v == number],
        }
        return _fitting("ModelVersion", shown)


def _message(kind: str) -> Any:
    """An empty message of MLflow's protocol; MLflow is imported by the tests that speak it."""
    return getattr(import_module("mlflow.protos.databricks_uc_registry_messages_pb2"), kind)()


def _parsed(ask: Ask, kind: str) -> Any:
    """A request of MLflow in its own types; unknown fields are refused."""
    from google.protobuf import json_format

    try:
        return json_format.Parse(ask.raw or json.dumps(ask.query), _message(kind))
    except json_format.ParseError as error:
        raise Refused(400, "MALFORMED_REQUEST", str(error)) from None


def _fitting(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    from google.protobuf import json_format

    json_format.ParseDict(content, _message(kind))
    return content
