"""Files in S3, Google Cloud Storage and Azure, found and copied by each store's fsspec library."""

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from .attributes import URL_PATTERN, FileTable
from .files import Folder, SourceError, SourceFile, SourceUnreachableError

COPIES_AT_ONCE = 8


@dataclass(frozen=True)
class _Library:
    """How one kind of store is reached."""

    title: str
    package: str
    options: Mapping[str, Any]
    login: str
    environment: Mapping[str, str] = field(default_factory=dict)


_AZURE = _Library("Azure Storage", "adlfs", {}, "AZURE_STORAGE_ACCOUNT_NAME and a key, or Azure's own login")
_LIBRARIES = {
    "s3": _Library(
        "S3",
        "s3fs",
        {"config_kwargs": {"connect_timeout": 15, "retries": {"max_attempts": 3}}},
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's role",
    ),
    "gs": _Library(
        "Google Cloud Storage",
        "gcsfs",
        {},
        "GOOGLE_APPLICATION_CREDENTIALS, or Google's own login",
        # Its newest kind of file system asks a second service, for a minute where a firewall stands between.
        {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"},
    ),
    "az": _AZURE,
    "abfs": _AZURE,
    "abfss": _AZURE,
}

# How the libraries say that we are not let in, and that nobody answers.
_DENIED = re.compile(
    r"Forbidden|AccessDenied|Access Denied|\b40[13]\b|InvalidAccessKeyId|SignatureDoesNotMatch|AuthenticationFailed|"
    r"AuthorizationFailure|Unable to locate credentials|DefaultCredentials|NoAuth|not authorized|Anonymous|"
    r"Must provide either a connection_string|Server failed to authenticate",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"NoSuchBucket|bucket does not exist|ContainerNotFound|container does not exist", re.IGNORECASE)


def opened_store(url: str, key: str, credentials: Mapping[str, str], project_root: Path) -> "ObjectStore | Folder":
    """The folder or the store that an address leads to.

    Args:
        url: The address: of a store, ``file://``, or a folder of the project.
        key: Where the address is written down, for messages.
        credentials: Options of the library by the names of the secrets that hold them.
        project_root: Folder that a relative path starts from, and whose policy names the store of secrets.

    Raises:
        SourceError: the address is not valid, a library or a secret is missing.
    """
    scheme = urlsplit(url).scheme if "://" in url else ""
    if not scheme:
        return Folder.of(url, None, project_root)
    if not re.match(URL_PATTERN, url):
        raise SourceError(
            f"source: {key}: {url!r} is not valid; expected a folder, or an address such as s3://bucket/folder, "
            "gs://bucket/folder, az://container/folder, abfss://container@account.dfs.core.windows.net/folder."
        )
    if scheme == "file":
        return Folder.of(unquote(urlsplit(url).path), None, project_root)
    library = _LIBRARIES[scheme]
    if not find_spec(library.package):
        raise SourceError(f"source: {url} needs the package {library.package}. Add it to the project's dependencies.")
    values = _secrets(credentials, project_root)
    for name, value in library.environment.items():
        os.environ.setdefault(name, value)
    import fsspec

    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False, **library.options, **values}
    try:
        system, path = fsspec.core.url_to_fs(url, **options)
    except Exception as error:
        raise _told(library, url, error, tuple(values.values())) from None
    return ObjectStore(url.rstrip("/"), library, system, path.rstrip("/"), tuple(values.values()))


def _secrets(credentials: Mapping[str, str], project_root: Path) -> dict[str, str]:
    if not credentials:
        return {}
    from ..governance import policy_for
    from ..secrets import SecretError, SecretStoreError, read_secret

    store = policy_for(project_root).secrets
    try:
        return {option: read_secret(store, name) for option, name in credentials.items()}
    except SecretStoreError as error:
        raise SourceUnreachableError(str(error)) from None
    except SecretError as error:
        raise SourceError(str(error)) from None


@dataclass(frozen=True)
class ObjectStore:
    """A place in an object store.

    Args:
        url: Its address.
        library: How it is reached.
        system: The fsspec file system.
        path: The place as the file system calls it.
        secrets: Values that no message may hold.
    """

    url: str
    library: _Library
    system: Any
    path: str
    secrets: tuple[str, ...]

    def find(self, table: FileTable) -> list[SourceFile]:
        """The files of a table in the order of their names.

        Raises:
            SourceError: there are none, there is no such place, or we are not let in.
        """
        try:
            found = self.system.glob(f"{self.path}/{table.file}", detail=True)
            files = {name: info for name, info in found.items() if info.get("type") == "file"}
            if not files:
                raise SourceError(
                    f"table {table.name!r}: no file {table.file!r} in {self.url} (there is: {self._present()})."
                )
        except SourceError:
            raise
        except Exception as error:
            raise _told(self.library, self.url, error, self.secrets) from None
        return [
            SourceFile(Path(), f"{self.url}/{self._key(name)}", self._key(name), _version(info))
            for name, info in sorted(files.items())
        ]

    def _present(self) -> str:
        """The first files that are there; raises FileNotFoundError where there is no such bucket."""
        bucket = self.path.split("/", 1)[0]
        names: list[str] = []
        for name in self.system.find(self.path if self.system.exists(self.path) else self._listed(bucket)):
            names.append(name.removeprefix(f"{self.path}/"))
        return ", ".join(sorted(names)[:10]) or "nothing"

    def _listed(self, bucket: str) -> str:
        self.system.ls(bucket, detail=False)
        return bucket

    def _key(self, name: str) -> str:
        return name.removeprefix(f"{self.path}/")

    def fetch_all(self, files: list[SourceFile], work: Path) -> list[SourceFile]:
        """Copies of files below ``work``, several at a time.

        Raises:
            SourceError: a file vanished or changed meanwhile, or we are not let in.
        """
        folder = Path(work, f"copies-{len(list(work.iterdir()))}")
        folder.mkdir()
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            return list(pool.map(lambda number: self._fetch(number, files[number], folder), range(len(files))))

    def _fetch(self, number: int, file: SourceFile, folder: Path) -> SourceFile:
        target = folder / f"{number}-{PurePosixPath(file.key).name}"
        remote = f"{self.path}/{file.key}"
        try:
            self.system.get_file(remote, str(target))
            if _version(self.system.info(remote)) != file.version:
                raise SourceUnreachableError(f"{file.name} changed while it was read; the next run takes it as it is.")
        except SourceError:
            raise
        except FileNotFoundError:
            raise SourceUnreachableError(
                f"{file.name} vanished while it was read; the next run looks for the files anew."
            ) from None
        except Exception as error:
            raise _told(self.library, file.name, error, self.secrets) from None
        return SourceFile(target, file.name, file.key, file.version)


def _version(info: Mapping[str, Any]) -> str:
    """What a store changes whenever a file's content changes."""
    for name in ("ETag", "etag", "generation", "md5Hash"):
        if info.get(name):
            return str(info[name]).strip('"')
    return f"{info.get('LastModified') or info.get('updated') or info.get('last_modified')}-{info.get('size')}"


def _told(library: _Library, place: str, error: BaseException, secrets: tuple[str, ...]) -> SourceError:
    """A library's error in our words."""
    from ..secrets import redacted

    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    text = " ".join(f"{type(cause).__name__}: {cause}" for cause in causes)
    if _ABSENT.search(text) or isinstance(error, FileNotFoundError):
        return SourceError(f"{library.title} has no {place}, or does not show it to this login.")
    if isinstance(error, PermissionError) or _DENIED.search(text):
        return SourceError(f"{library.title} denied access to {place}. Check credentials, else {library.login}.")
    reason = redacted(" ".join(str(error).split())[:300], secrets).rstrip(".")
    return SourceUnreachableError(f"{library.title} gave no answer for {place}: {type(error).__name__}: {reason}.")
