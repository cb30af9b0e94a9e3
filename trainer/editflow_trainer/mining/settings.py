"""What a run of the miner is asked for; all of it is kept in the manifest, so that runs are not mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from editflow_trainer.mining import dedup, filters, hunks


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that decide what is mined."""

    since: str = ""  # a date as git reads it
    limit: int | None = None  # commits of a repository, newest first
    diagnostics: bool = False
    paths: tuple[str, ...] = ()  # pathspecs of git, from the top of the working tree; none is everything
    author: str = ""  # a pattern for git's --author
    enough: int | None = None  # kept edits after which older commits are not read

    def as_json(self, excluded: str) -> dict[str, Any]:
        """Plain values, with the fingerprint of the evaluation data and the sizes that the filters use.

        What only narrows a history is there when it is used, so that older manifests stay valid.
        """
        narrowing = {"paths": list(self.paths), "author": self.author, "enough": self.enough}
        used = {name: value for name, value in narrowing.items() if value}
        return used | {
            "since": self.since,
            "limit": self.limit,
            "diagnostics": self.diagnostics,
            "excluded": excluded,
            "most_files": filters.MOST_FILES,
            "most_characters": filters.MOST_CHARACTERS,
            "context_lines": hunks.CONTEXT,
            "similarity": dedup.THRESHOLD,
        }
