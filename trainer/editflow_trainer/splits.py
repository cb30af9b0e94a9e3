"""The split by repository: what is only evaluated on, what is reserved, and the refusal to train on either."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from editflow.errors import EditFlowError

_FILE = "splits.toml"
_REQUIREMENT = re.compile(r"[\[(<>=!~;]")  # ends the name in `name[extra]>=1; marker`


class Side(StrEnum):
    """What a project is for."""

    training = "training"
    validation = "validation"
    """Evaluation and tuning only."""
    reserved = "reserved"
    """Never mined, read or trained on; measured on once, at the end."""


@dataclass(frozen=True, slots=True)
class Project:
    """A repository, owner/name, and what it is for."""

    repository: str
    side: Side


def project_of(source: str) -> Project:
    """The project that a source's code comes from: a repository (owner/name), or an installed package.

    A fork or vendored copy counts as its project, so the last part of the name decides whoever the owner is; case,
    and which of `-`, `_` and `.` is written, do not matter.
    """
    return _known().get(_normal(source), Project(source, Side.training))


def check_training(sources: Iterable[str]) -> None:
    """EditFlowError where a source of training data, repository or package, is validation or reserved."""
    for source in sources:
        project = project_of(source)
        if project.side is not Side.training:
            raise EditFlowError(
                f"{source} is {project.side} ({project.repository}) and must not be trained on; leave it out"
            )


def check_evaluation(sources: Iterable[str], *, reserved: bool = False) -> tuple[str, ...]:
    """The sources that models may have been trained on, sorted; without `reserved` those are refused.

    Raises:
        EditFlowError: a source is reserved.
    """
    open_to_training: list[str] = []
    for source in sorted(sources):
        project = project_of(source)
        if project.side is Side.reserved and not reserved:
            raise EditFlowError(f"{source} is reserved ({project.repository}); leave it out of the data")
        if project.side is Side.training:
            open_to_training.append(source)
    return tuple(open_to_training)


def repositories(side: Side) -> tuple[str, ...]:
    """The repositories, owner/name, of the validation or the reserved side."""
    return tuple(dict.fromkeys(p.repository for p in _known().values() if p.side is side))


@cache
def _known() -> dict[str, Project]:
    """Projects by the normal form of their repository's name and of their packages' names."""
    table = tomllib.loads(files("editflow_trainer").joinpath(_FILE).read_text("utf-8"))
    return {
        _normal(name): Project(repository, side)
        for side in (Side.validation, Side.reserved)
        for repository, packages in table[side].items()
        for name in (repository, *packages)
    }


def _normal(source: str) -> str:
    """The last part of a path, address or requirement, without `.git` and version, as PEP 503 writes names."""
    first = (source.split() or [""])[0]
    last = re.split(r"[/:\\+]", first.rstrip("/").removesuffix(".git"))[-1]
    return re.sub(r"[-_.]+", "-", _REQUIREMENT.split(last, maxsplit=1)[0]).lower()
