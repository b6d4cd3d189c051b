"""Files that a workspace needs, put where it finds them."""

from pathlib import Path, PurePosixPath

from .client import Workspace


def upload(workspace: Workspace, name: str, file: Path, path: PurePosixPath, folder: str | None = None) -> str:
    """The path in the workspace of a file, which is there now as it is here.

    Args:
        workspace: Where.
        name: Name of the job or pipeline that the file belongs to.
        file: The file.
        path: Its path below the folder.
        folder: Folder; one of the login's own when left out.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    from databricks.sdk.service.workspace import ImportFormat

    place = PurePosixPath(folder or own_folder(workspace, name)) / path
    if place.suffix == ".ipynb":
        place = place.with_suffix("")  # Databricks names notebooks without one
    content = file.read_bytes()
    workspace.call("making a folder", lambda client: client.workspace.mkdirs(str(place.parent)))
    workspace.call(
        f"uploading {file.name}",
        lambda client: client.workspace.upload(str(place), content, format=ImportFormat.AUTO, overwrite=True),
    )
    return str(place)


def own_folder(workspace: Workspace, name: str) -> str:
    """The folder of a job or pipeline below the login's own."""
    user = workspace.call("asking who this login is", lambda client: client.current_user.me().user_name)
    return f"/Workspace/Users/{user}/.dagster/{name}"
