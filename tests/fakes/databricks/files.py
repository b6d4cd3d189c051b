"""Files of the workspace, files of volumes, and secrets."""

import base64
import shutil
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

from starlette.responses import Response

from tests.fakes.databricks.wire import Ask, Refused, route


class Files:
    """Workspace files and volumes stand below the workspace's folder; secrets in ``scopes``."""

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.scopes: dict[str, dict[str, str]] = {}

    def place(self, path: str) -> Path:
        return self._workspace.folder / path.lstrip("/")

    @route("POST", "workspace/mkdirs")
    def mkdirs(self, ask: Ask) -> dict[str, Any]:
        self.place(ask.body["path"]).mkdir(parents=True, exist_ok=True)
        return {}

    @route("POST", "workspace/import")
    def put(self, ask: Ask) -> dict[str, Any]:
        if ask.headers["content-type"].startswith("application/json"):
            path, content = ask.body["path"], base64.b64decode(ask.body["content"])
        else:
            head = f"Content-Type: {ask.headers['content-type']}\r\n\r\n".encode()
            parts = {
                part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
                for part in BytesParser(policy=HTTP).parsebytes(head + ask.raw).iter_parts()
            }
            path, content = parts["path"].decode(), parts["content"]
        if not self.place(path).parent.is_dir():
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"The parent folder ({Path(path).parent}) does not exist.")
        self.place(path).write_bytes(content)
        return {}

    @route("GET", "workspace/export")
    def export(self, ask: Ask) -> bytes:
        file = self.place(ask.query["path"])
        if not file.is_file():
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({ask.query['path']}) doesn't exist.")
        return file.read_bytes()

    @route("GET", "workspace/get-status")
    def status(self, ask: Ask) -> dict[str, Any]:
        if not (place := self.place(ask.query["path"])).exists():
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({ask.query['path']}) doesn't exist.")
        return {"path": ask.query["path"], "object_type": "DIRECTORY" if place.is_dir() else "FILE", "object_id": 1}

    @route("POST", "workspace/delete")
    def delete(self, ask: Ask) -> dict[str, Any]:
        place = self.place(ask.body["path"])
        if not place.exists():
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({ask.body['path']}) doesn't exist.")
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        return {}

    @route("PUT", "fs/directories/{rest}")
    def make_folder(self, ask: Ask) -> Response:
        self.place(ask["rest"]).mkdir(parents=True, exist_ok=True)
        return Response(status_code=204)

    @route("PUT", "fs/files/{rest}")
    def upload(self, ask: Ask) -> Response:
        self.place(ask["rest"]).parent.mkdir(parents=True, exist_ok=True)
        self.place(ask["rest"]).write_bytes(ask.raw)
        return Response(status_code=204)

    @route("GET", "fs/files/{rest}")
    def download(self, ask: Ask) -> bytes:
        if not self.place(ask["rest"]).is_file():
            raise Refused(404, "NOT_FOUND", f"The file {ask['rest']} is not found.")
        return self.place(ask["rest"]).read_bytes()

    @route("DELETE", "fs/files/{rest}", "fs/directories/{rest}")
    def remove(self, ask: Ask) -> Response:
        place = self.place(ask["rest"])
        if not place.exists():
            raise Refused(404, "NOT_FOUND", f"{ask['rest']} is not found.")
        place.rmdir() if place.is_dir() else place.unlink()
        return Response(status_code=204)

    @route("HEAD", "fs/directories/{rest}", "fs/files/{rest}")
    def known(self, ask: Ask) -> Response:
        place = self.place(ask["rest"])
        size = {"content-length": str(place.stat().st_size)} if place.is_file() else {}
        return Response(status_code=200 if place.exists() else 404, headers=size)

    @route("GET", "fs/directories/{rest}")
    def list_folder(self, ask: Ask) -> dict[str, Any]:
        found = sorted(self.place(ask["rest"]).glob("*"))
        contents = [
            {"path": f"/{ask['rest'].strip('/')}/{each.name}", "name": each.name, "is_directory": each.is_dir()}
            for each in found
        ]
        return {"contents": contents}

    @route("GET", "secrets/get")
    def secret(self, ask: Ask) -> dict[str, Any]:
        value = self.scopes.get(ask.query["scope"], {}).get(ask.query["key"])
        if value is None:
            scope = ask.query["scope"]
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Secret does not exist with scope: {scope}")
        return {"key": ask.query["key"], "value": base64.b64encode(value.encode()).decode()}
