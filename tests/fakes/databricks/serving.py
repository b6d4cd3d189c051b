"""Model Serving: endpoints that become ready as they are looked at, and models that answer or fail."""

from collections.abc import Callable
from typing import Any

from databricks.sdk.service import serving as api

from tests.fakes.databricks.wire import Ask, Refused, checked, page, route, shaped


class Serving:
    """Endpoints.

    Attributes:
        looks_until_ready: After how many looks a change is done.
        undeployable: Versions of models, ``name/version``, whose deployment fails.
        answers: What a version answers a record, by ``name/version``; a function that raises fails the request.
    """

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.looks_until_ready = 2
        self.undeployable: set[str] = set()
        self.answers: dict[str, Callable[[Any], Any]] = {}
        self.page_size = 20

    @route("GET", "serving-endpoints")
    def list_all(self, ask: Ask) -> dict[str, Any]:
        return page([self._described(name) for name in self.endpoints], ask.query, "endpoints", self.page_size)

    @route("POST", "serving-endpoints")
    def create(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.ServingEndpointsAPI.create, ask.body)
        if body["name"] in self.endpoints:
            raise Refused(400, "RESOURCE_ALREADY_EXISTS", f"Endpoint with name '{body['name']}' already exists.")
        self._check(body["config"])
        self.endpoints[body["name"]] = {"config": None, "pending": body["config"], "looks": 0, "asked": body}
        return self._described(body["name"])

    @route("GET", "serving-endpoints/{name}")
    def get(self, ask: Ask) -> dict[str, Any]:
        self._look(ask["name"])
        return shaped(api.ServingEndpointDetailed, self._described(ask["name"]))

    @route("PUT", "serving-endpoints/{name}/config")
    def update(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.ServingEndpointsAPI.update_config, ask.body)
        held = self._held(ask["name"])
        if held["pending"]:
            message = f"Endpoint '{ask['name']}' is currently being updated. Wait until it is done."
            raise Refused(409, "RESOURCE_CONFLICT", message)
        self._check(body)
        held |= {"pending": {k: v for k, v in body.items() if k != "name"}, "looks": 0, "failed": False}
        return self._described(ask["name"])

    @route("DELETE", "serving-endpoints/{name}")
    def delete(self, ask: Ask) -> dict[str, Any]:
        self._held(ask["name"])
        del self.endpoints[ask["name"]]
        return {}

    @route("POST", "/serving-endpoints/{name}/invocations")
    def query(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.ServingEndpointsAPI.query, ask.body)
        config = self._live(ask["name"])
        shares = {each["served_model_name"]: each["traffic_percentage"] for each in config["traffic_config"]["routes"]}
        return self._answer(config, max(shares, key=lambda name: shares[name]), body)

    @route("POST", "/serving-endpoints/{name}/served-models/{served}/invocations")
    def query_one(self, ask: Ask) -> dict[str, Any]:
        return self._answer(self._live(ask["name"]), ask["served"], ask.body)

    def _answer(self, config: dict[str, Any], served: str, body: dict[str, Any]) -> dict[str, Any]:
        entity = next((each for each in config["served_entities"] if each["name"] == served), None)
        if entity is None:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Served model {served} does not exist.")
        version = f"{entity['entity_name']}/{entity['entity_version']}"
        try:
            answer = self.answers.get(version, lambda record: 0.5)
            predictions = [answer(record) for record in body.get("dataframe_records") or body.get("inputs") or []]
        except Exception as error:
            message = f"Encountered an unexpected error while evaluating the model: {error}"
            raise Refused(400, "BAD_REQUEST", message) from None
        return {"predictions": predictions}

    def _live(self, name: str) -> dict[str, Any]:
        config = self._held(name)["config"]
        if config is None:
            raise Refused(400, "BAD_REQUEST", f"Endpoint {name} is not ready.")
        return config

    def _held(self, name: str) -> dict[str, Any]:
        if name not in self.endpoints:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")
        return self.endpoints[name]

    def _check(self, config: dict[str, Any]) -> None:
        names = {each["name"] for each in config["served_entities"]}
        routes = config["traffic_config"]["routes"]
        if {each["served_model_name"] for each in routes} - names:
            raise Refused(400, "INVALID_PARAMETER_VALUE", "traffic_config names a model that is not served.")
        if sum(each["traffic_percentage"] for each in routes) != 100:
            raise Refused(400, "INVALID_PARAMETER_VALUE", "The sum of all traffic percentages must be 100.")
        for each in config["served_entities"]:
            model = self._workspace.models.models.get(each["entity_name"])
            if model is None or each["entity_version"] not in model["versions"]:
                name = f"{each['entity_name']} version {each['entity_version']}"
                raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Model {name} does not exist.")

    def _look(self, name: str) -> None:
        held = self._held(name)
        held["looks"] += 1
        if held["pending"] and held["looks"] >= self.looks_until_ready:
            served = {f"{e['entity_name']}/{e['entity_version']}" for e in held["pending"]["served_entities"]}
            held["failed"] = bool(served & self.undeployable)
            if not held["failed"]:
                held["config"] = held["pending"]
            held["pending"] = None

    def _described(self, name: str) -> dict[str, Any]:
        held = self._held(name)
        state = {
            "ready": "READY" if held["config"] else "NOT_READY",
            "config_update": "IN_PROGRESS"
            if held["pending"]
            else "UPDATE_FAILED"
            if held.get("failed")
            else "NOT_UPDATING",
        }
        described = {"name": name, "id": f"id-{name}", "state": state, "creator": "ann@example.com"}
        for key, config in (("config", held["config"]), ("pending_config", held["pending"])):
            if config:
                entities = [
                    {
                        **{k: v for k, v in each.items() if k in _output_fields()},
                        "state": {
                            "deployment": "DEPLOYMENT_READY",
                            "deployment_state_message": "",
                        },
                    }
                    for each in config["served_entities"]
                ]
                described[key] = {"served_entities": entities, "traffic_config": config["traffic_config"]}
        return described


def _output_fields() -> set[str]:
    return set(api.ServedEntityOutput.__dataclass_fields__)
