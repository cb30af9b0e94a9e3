"""Where adapters are kept: in the user's data folder, by root commit, private, and the same for every clone.

    adapters/<root commit>/repository.json                         {"root", "name", "chosen"}
    adapters/<root commit>/<first 12 digits of the fingerprint>/   an adapter
    adapters/places.json                                           git folder -> root commit

An adapter appears whole or not at all. What is damaged in one repository's folder concerns no other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from editflow.adapters.adapter import ROOT, Adapter, AdapterError, read_json
from editflow.adapters.identity import working_tree_of
from editflow.adapters.places import Places
from editflow.adapters.private import (
    check_private,
    clear_temporary,
    copied,
    make_private,
    remove_folder,
    replace_folder,
    saying,
    write_json,
)
from editflow.document import shown

KEPT = 3
"""Adapters of a repository that stay, newest first, besides the one in use."""
LOCK_PATIENCE = 60.0  # seconds that another process may take to install
STATE = "repository.json"
MAX_STATE = 1 << 16  # bytes
DIGITS = 12
_ID = re.compile(rf"[0-9a-f]{{{DIGITS}}}")


@dataclass(frozen=True, slots=True)
class StoredRepository:
    """What is kept for one repository."""

    root: str
    name: str
    adapters: tuple[Adapter, ...] = ()
    """Newest first."""
    chosen: Adapter | None = None
    """The one in use; None where the default is."""
    problems: tuple[str, ...] = ()
    """What cannot be used and why, one readable line each."""


def training_folder(root: str = "") -> Path:
    """Where training on a repository keeps what it mined and where it stands, made by the trainer; or all of them."""
    from platformdirs import user_cache_path

    return user_cache_path("editflow") / "training" / root


class AdapterStore:
    """The adapters of one user."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None:
            from platformdirs import user_data_path

            folder = user_data_path("editflow") / "adapters"
        self.folder = folder
        self.places = Places(folder / "places.json")

    def find(self, path: Path) -> Adapter | None:
        """The adapter in use for the repository of a file; None where there is no repository, or none is in use.

        git is asked only where there are adapters and the checkout is a new one.

        Raises:
            EditFlowError: there is an adapter that cannot be read, the store is not private, or git took too long.
        """
        if not self._roots():
            return None
        with saying("the repository's adapter cannot be found"):
            check_private(self.folder)
            working_tree = working_tree_of(path)
            root = None if working_tree is None else self.places.root_of(working_tree)
            return self._chosen(root) if root and self._of(root).is_dir() else None

    def remember(self, working_tree: Path, root: str) -> None:
        """Keep which repository a checkout is of, unless it is bare; AdapterError where the store is not private."""
        with suppress(OSError):  # what is not kept is asked again
            make_private(self.folder)
            self.places.keep(working_tree, root)

    def install(self, staged: Path, *, use: bool = True) -> Adapter:
        """Copy an adapter's folder into the store, where it appears whole or not at all; `staged` stays as it is.

        It becomes the one in use unless told otherwise. Old ones go: the newest 3 and the one in use stay.

        Raises:
            AdapterError: it is damaged or cannot be written; the one in use stays in use.
        """
        adapter = Adapter.read(staged)
        adapter.verify()
        with self._changing(), saying(f"{adapter.name} cannot be installed"):
            target = self._of(adapter.repository) / adapter.fingerprint[:DIGITS]
            make_private(target.parent)
            with copied(staged, target) as copy:
                Adapter.read(copy).verify()
                replace_folder(copy, target)
            installed = Adapter.read(target)
            chosen = installed if use else self._repository(adapter.repository).chosen
            self._choose(installed.repository, installed.repository_name, chosen)
            self._prune(adapter.repository)
        return installed

    def repositories(self) -> list[StoredRepository]:
        """All repositories by name, then root."""
        if roots := self._roots():
            check_private(self.folder)
        return sorted((self._repository(root) for root in roots), key=lambda r: (r.name, r.root))

    def named(self, name: str, root: str | None = None) -> Adapter:
        """The adapter whose name begins so, of all or of one repository; AdapterError for none or several."""
        stored = [r for r in self.repositories() if root in (None, r.root)]
        found = [a for r in stored for a in r.adapters if a.name.startswith(name)] if name else []
        exact = [adapter for adapter in found if adapter.name == name]
        if len(found) == 1 or len(exact) == 1:
            return (exact or found)[0]
        if found:
            names = ", ".join(adapter.name for adapter in found)
            raise AdapterError(f"{name!r} is short for several adapters: {names}")
        raise AdapterError(f"no adapter is called {name!r}: editflow adapters list shows those that are kept")

    def use(self, root: str, name: str | None) -> Adapter | None:
        """Use an adapter of a repository, or with None the default; returns what is used from now on."""
        if root not in self._roots():
            raise AdapterError("no adapter is kept for this repository: run editflow train there")
        adapter = None if name is None else self.named(name, root)
        with self._changing(), saying("what is used cannot be changed"):
            self._choose(root, self._repository(root).name, adapter)
        return adapter

    def remove(self, name: str) -> Adapter:
        """Remove an adapter; where it was the one in use, the default is from now on."""
        adapter = self.named(name)
        with self._changing(), saying(f"{adapter.name} cannot be removed"):
            stored = self._repository(adapter.repository)
            if stored.adapters == (adapter,):
                remove_folder(self._of(stored.root))
                return adapter
            if stored.chosen == adapter:
                self._choose(stored.root, stored.name, None)
            remove_folder(adapter.folder)
        return adapter

    def export(self, name: str, folder: Path) -> Adapter:
        """Copy an adapter to a folder that is not there yet."""
        adapter = self.named(name)
        adapter.verify()
        if folder.exists() or folder.is_symlink():
            raise AdapterError(f"{shown(folder)} is there already: name a new folder")
        with saying(f"{adapter.name} cannot be exported"), copied(adapter.folder, folder) as copy:
            copy.rename(folder)
        return Adapter.read(folder)

    def _of(self, root: str) -> Path:
        return self.folder / root

    def _roots(self) -> list[str]:
        """Root commits that there are folders of."""
        try:
            return [path.name for path in self.folder.iterdir() if ROOT.fullmatch(path.name)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise AdapterError(f"{shown(self.folder)} cannot be read: {error.strerror}") from error

    def _chosen(self, root: str) -> Adapter | None:
        """The adapter in use, read anew; AdapterError where it cannot be."""
        _, chosen = self._state(root)
        if chosen is None:
            return None
        adapter = Adapter.read(self._of(root) / chosen)
        if (adapter.repository, adapter.fingerprint[:DIGITS]) != (root, chosen):
            raise AdapterError(f"{shown(adapter.folder)} holds another adapter: run editflow train again")
        return adapter

    def _state(self, root: str) -> tuple[str, str | None]:
        """The repository's name, and the folder of the adapter in use, as repository.json has them."""
        path = self._of(root) / STATE
        try:
            state = read_json(path, MAX_STATE)
        except FileNotFoundError:
            return "", None
        except (OSError, ValueError) as error:
            raise AdapterError(
                f"{shown(path)} cannot be read ({error}): run editflow adapters use"
            ) from error
        name, chosen = (
            (state.get(key) for key in ("name", "chosen")) if isinstance(state, dict) else (None, 0)
        )
        if not isinstance(name, str) or not (
            chosen is None or (isinstance(chosen, str) and _ID.fullmatch(chosen))
        ):
            raise AdapterError(f"{shown(path)} is damaged: run editflow adapters use")
        return name, chosen

    def _repository(self, root: str) -> StoredRepository:
        problems: list[str] = []
        adapters = sorted(self._adapters(root, problems), key=lambda adapter: adapter.created, reverse=True)
        name, chosen = "", None
        try:
            name, _ = self._state(root)
            chosen = self._chosen(root)
        except AdapterError as error:
            problems.append(str(error))
        name = adapters[0].repository_name if adapters else name or root[:8]
        return StoredRepository(root, name, tuple(adapters), chosen, tuple(dict.fromkeys(problems)))

    def _adapters(self, root: str, problems: list[str]) -> Iterator[Adapter]:
        """Those that can be read; what is wrong with others is added to the problems."""
        try:
            folders = [folder for folder in self._of(root).iterdir() if _ID.fullmatch(folder.name)]
        except OSError as error:
            problems.append(f"{shown(self._of(root))} cannot be read: {error.strerror}")
            return
        for folder in folders:
            try:
                yield Adapter.read(folder)
            except AdapterError as error:
                problems.append(str(error))

    def _choose(self, root: str, name: str, adapter: Adapter | None) -> None:
        chosen = None if adapter is None else adapter.folder.name
        write_json(self._of(root) / STATE, {"root": root, "name": name, "chosen": chosen})

    def _prune(self, root: str) -> None:
        stored = self._repository(root)
        for adapter in stored.adapters[KEPT:]:
            if adapter != stored.chosen:
                remove_folder(adapter.folder)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time changes the store; it first clears away what another one left unfinished."""
        from filelock import FileLock, Timeout

        with saying(f"{shown(self.folder)} cannot be written"):
            make_private(self.folder)
            try:
                lock = FileLock(self.folder / ".lock", timeout=LOCK_PATIENCE, mode=0o600).acquire()
            except Timeout as error:
                raise AdapterError("another process is changing the adapters: try again") from error
        with lock:
            for root in self._roots():
                clear_temporary(self._of(root))
            clear_temporary(self.folder)
            yield
