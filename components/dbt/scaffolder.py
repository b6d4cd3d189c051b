"""The first defs.yaml of a dbt project: it loads as it stands, and names what else there is."""

import json
import os
from pathlib import Path

import dagster as dg
from pydantic import BaseModel, Field, model_validator

_OPTIONAL = """\
  # Sources whose assets have another name than source/table:
  # upstream:
  #   assets: {raw.customers: ingest/customer_data}
  # schedule: {cron: "0 6 * * *", timezone: America/New_York}
  # dbt:
  #   select: tag:production
  #   test_severity: warn
  # monitoring: {sla_minutes: 1440}
"""


class DbtProjectParams(BaseModel):
    """What the scaffolder asks."""

    project_path: str | None = Field(default=None, description="Folder of the dbt project, from where you stand")
    git_url: str | None = Field(default=None, description="URL of a git repository instead of a folder")
    subfolder: str | None = Field(default=None, description="Folder of the dbt project in the repository")
    owner: str = Field(default="team:analytics", description="Who answers for models that declare no owner")

    @model_validator(mode="after")
    def _one_source(self) -> "DbtProjectParams":
        if (self.project_path is None) == (self.git_url is None):
            raise ValueError("give either --project-path or --git-url")
        if self.subfolder and not self.git_url:
            raise ValueError("--subfolder goes with --git-url; with --project-path name the folder itself")
        return self


class DbtProjectScaffolder(dg.Scaffolder[DbtProjectParams]):
    """Writes a commented defs.yaml for a dbt project that exists."""

    @classmethod
    def get_scaffold_params(cls) -> type[DbtProjectParams]:
        """The project and its owner."""
        return DbtProjectParams

    def scaffold(self, request: dg.ScaffoldRequest[DbtProjectParams]) -> None:
        """Write ``defs.yaml``; where the folder is no dbt project, leave nothing behind."""
        try:
            text = _defs_yaml(request)
        except ValueError:
            if request.target_path.is_dir() and not any(request.target_path.iterdir()):
                request.target_path.rmdir()
            raise
        if request.append:
            with request.target_path.open("a", encoding="utf-8") as file:
                file.write("---\n" + text)
        else:
            (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")


def _defs_yaml(request: dg.ScaffoldRequest[DbtProjectParams]) -> str:
    params = request.params
    if params.git_url:
        project = f"  project:\n    git: {json.dumps(params.git_url)}\n"
        project += f"    subfolder: {json.dumps(params.subfolder)}\n" if params.subfolder else ""
        project += "  # Clone it, and fetch its newest commit later: dg utils refresh-defs-state\n"
    else:
        project = f"  project: {json.dumps(_project_path(request))}\n"
    owners = f"  assets:\n    owners: [{json.dumps(params.owner)}]  # of models that declare none in dbt\n"
    head = "# Models, tests, contracts and source freshness of a dbt project as assets and checks.\n"
    return f"{head}type: {request.type_name}\n\nattributes:\n{project}{owners}{_OPTIONAL}"


def _project_path(request: dg.ScaffoldRequest[DbtProjectParams]) -> str:
    folder = Path(request.params.project_path or ".").expanduser().resolve()
    if not (folder / "dbt_project.yml").is_file():
        raise ValueError(f"--project-path: {request.params.project_path!r} has no dbt_project.yml (looked in {folder})")
    if request.project_root is None:
        return folder.as_posix()
    relative = Path(os.path.relpath(folder, request.project_root)).as_posix()
    return "{{ context.project_root }}/" + relative
