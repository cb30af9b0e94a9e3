"""A folder of mined edits: Parquet shards by repository and a manifest of where they come from."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from editflow import __version__
from editflow.errors import EditFlowError
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.licence import Licence
from editflow_trainer.mining.parquet import read_edits, write_shards
from editflow_trainer.mining.reasons import Stage

MANIFEST = "manifest.json"
_STAGES = ("commits", "files", "edits")
_COUNTS = ("levels", "languages", "kinds")


@dataclass(slots=True)
class Entry:
    """What the manifest says of one repository."""

    head: str
    shallow: bool
    licence: Licence
    mined: str  # ISO 8601, UTC
    seconds: float  # of reading and filtering, without the search for duplicates
    commits: Stage
    files: Stage
    edits: Stage
    levels: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    shards: list[str] = field(default_factory=list)

    def count(self, edit: MinedEdit) -> None:
        """Count an edit that is kept."""
        self.levels[edit.level] += 1
        self.languages[edit.language] += 1
        if edit.kind:
            self.kinds[edit.kind] += 1

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        stages = {name: getattr(self, name).as_json() for name in _STAGES}
        counts = {name: dict(getattr(self, name).most_common()) for name in _COUNTS}
        return {
            "head": self.head,
            "shallow": self.shallow,
            "licence": asdict(self.licence),
            "mined": self.mined,
            "seconds": round(self.seconds, 1),
            **stages,
            **counts,
            "shards": self.shards,
        }

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Entry:
        """The reverse of `as_json`."""
        stages = {name: Stage.of_json(value[name]) for name in _STAGES}
        counts = {name: Counter(value[name]) for name in _COUNTS}
        return cls(**{**value, **stages, **counts, "licence": Licence(**value["licence"])})


class Store:
    """The folder; `entries` by repository are what its manifest says."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Opens or makes the folder, which only its owner may read.

        Raises:
            EditFlowError: it holds edits mined with other settings, or a manifest that is none.
        """
        self.folder, self._settings = folder, dict(settings)
        self.entries: dict[str, Entry] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "edits").mkdir(exist_ok=True)
        (folder / "candidates").mkdir(exist_ok=True)
        if (folder / MANIFEST).exists():
            self._read(folder / MANIFEST)

    def candidates(self, stem: str) -> Path:
        """Where a repository's candidates are kept until they are searched for duplicates."""
        return self.folder / "candidates" / f"{stem}.parquet"

    def add(self, name: str, stem: str, entry: Entry, edits: Iterable[MinedEdit]) -> None:
        """Write a repository's edits, count them in its entry, then name it in the manifest."""
        for stale in (self.folder / "edits").iterdir():
            if re.fullmatch(rf"{re.escape(stem)}-\d{{5}}\.parquet", stale.name):
                stale.unlink()
        entry.shards = write_shards(self.folder / "edits", stem, _counted(edits, entry))
        self.entries[name] = entry
        self._write()
        self.candidates(stem).unlink(missing_ok=True)

    def edits(self, name: str) -> Iterator[MinedEdit]:
        """The edits of a repository, newest first."""
        for shard in self.entries[name].shards:
            yield from read_edits(self.folder / "edits" / shard)

    def _read(self, file: Path) -> None:
        try:
            manifest = json.loads(file.read_text("utf-8"))
            settings = manifest["settings"]
            self.entries = {name: Entry.of_json(value) for name, value in manifest["repositories"].items()}
        except (ValueError, KeyError, TypeError) as error:
            raise EditFlowError(f"{file} is damaged ({error!r}); mine into another folder") from error
        names = self._settings.keys() | settings.keys() if self._settings else set[str]()
        other = sorted(name for name in names if settings.get(name) != self._settings.get(name))
        if other:
            differing = ", ".join(other)
            raise EditFlowError(f"{self.folder} was mined with another {differing}; use another folder")

    def _write(self) -> None:
        manifest = {
            "tool": f"editflow {__version__}",
            "settings": self._settings,
            "repositories": {name: entry.as_json() for name, entry in sorted(self.entries.items())},
        }
        partial = self.folder / f"{MANIFEST}.partial"
        partial.write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
        os.replace(partial, self.folder / MANIFEST)


def _counted(edits: Iterable[MinedEdit], entry: Entry) -> Iterator[MinedEdit]:
    for edit in edits:
        entry.count(edit)
        yield edit
