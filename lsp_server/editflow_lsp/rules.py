"""What holds for one document: the person's settings, narrowed by its repository, in the terms of a fix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from editflow.configuration import Configuration
from editflow.document import MAX_BYTES, MAX_LINE, split_lines
from editflow_lsp.buffer import Buffer
from editflow_lsp.settings import Effective, Settings
from editflow_lsp.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Rules:
    """Why a document is left alone, None where it is not, and how sure a hunk must be."""

    refusal: str | None = None
    threshold: float | None = None
    threshold_floor: float = 0.0


def rules_for(buffer: Buffer, workspace: Workspace, settings: Settings) -> tuple[Rules, tuple[str, ...]]:
    """The rules for a document, and what is wrong with its repository's configuration."""
    path = workspace.path_of(buffer.uri)
    folder = None if path is None else _folder_of(path, workspace)
    configuration = Configuration() if path is None else Configuration.of(path, folder)
    effective = settings.narrowed(configuration)
    refusal = _refusal(buffer, path, folder, effective)
    return Rules(refusal, effective.threshold, effective.least_confidence), configuration.problems


def _refusal(buffer: Buffer, path: Path | None, folder: Path | None, effective: Effective) -> str | None:
    text = buffer.text
    if len(text if text.isascii() else text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return f"the document is larger than {MAX_BYTES >> 20} MiB, the most that can be edited"
    lines = split_lines(text)
    if (longest := max(map(len, lines), default=0)) > MAX_LINE:
        return f"a line has {longest} characters, more than the {MAX_LINE} that can be edited"
    return effective.refusal(path, len(lines), folder)


def _folder_of(path: Path, workspace: Workspace) -> Path | None:
    """The workspace folder that a file is in, the innermost of several."""
    folders = (workspace.path_of(folder.uri) for folder in workspace.folders.values())
    around = [folder for folder in folders if folder is not None and path.is_relative_to(folder)]
    return max(around, key=lambda folder: len(folder.parts), default=None)
