"""An adapter on disk: weights that differ from a base's, thresholds of their own, a card, and what they came from.

`adapter.json` holds the size and sha256 of the other files, and the sha256 of the base's weights. In the weights, a
tensor named like a parameter of the base takes its place; `X.lora_A` [r, in] and `X.lora_B` [out, r] are a low-rank
update of the matrix that the parameter X is (see editflow.adapters.apply).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from editflow.checkpoint import Calibration, Checkpoint, build, damage, describe
from editflow.document import shown
from editflow.errors import EditFlowError

if TYPE_CHECKING:
    from torch import Tensor

    from editflow.process.edit_flow import Thresholds

Settings = TypeVar("Settings")
FORMAT = 1
CONFIG, WEIGHTS, CARD = "adapter.json", "adapter.safetensors", "MODEL_CARD.md"
MEMBERS = (WEIGHTS, CARD)
REPORT = "report.html"
"""How the training went: it may lie beside the members, and nothing reads it."""
MAX_CONFIG = 1 << 20  # bytes
ROOT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A commit's name, of either hash that git knows."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


class AdapterError(EditFlowError):
    """An adapter that is missing, damaged, of another base, or not of this format."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A folder whose adapter.json has been read; all else is read on demand."""

    folder: Path
    config: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, folder: Path) -> Adapter:
        """The adapter in a folder by its adapter.json alone, checked for form; `verify` checks the rest."""
        return cls(folder, _checked(folder / CONFIG, _read(folder / CONFIG)))

    def verify(self) -> None:
        """AdapterError unless every member has the size and sha256 that adapter.json states."""
        try:
            problem = damage(self.folder, MEMBERS, self.config["files"])
        except OSError as error:
            problem = f"{shown(self.folder)} cannot be read: {error.strerror}"
        if problem:
            raise AdapterError(f"{problem}: run editflow train again")

    @property
    def fingerprint(self) -> str:
        """sha256 of the weights."""
        return str(self.config["files"][WEIGHTS]["sha256"])

    @property
    def name(self) -> str:
        """The repository's name and the first digits of the fingerprint: `poetry@1a2b3c4d`."""
        return f"{self.repository_name}@{self.fingerprint[:8]}"

    @property
    def repository_name(self) -> str:
        """What the repository was called where the adapter was trained."""
        return str(self.config["name"])

    @property
    def repository(self) -> str:
        """Root commit of the repository that it was trained on."""
        return str(self.config["repository"])

    @property
    def base(self) -> str:
        """sha256 of the base's weights."""
        return str(self.config["base"]["sha256"])

    @property
    def base_name(self) -> str:
        """Name of the base, such as `default@9a61e92a`."""
        return str(self.config["base"]["name"])

    @property
    def created(self) -> str:
        """When, in ISO 8601, UTC: later ones sort behind."""
        return str(self.config["created"])

    @property
    def facts(self) -> dict[str, Any]:
        """What the trainer wrote down: free JSON, not checked."""
        return dict(self.config["facts"])

    def calibration(self) -> Calibration:
        """How raw probabilities become confidences."""
        return self._settings(Calibration)

    def thresholds(self) -> Thresholds:
        """When operations fire."""
        from editflow.process.edit_flow import Thresholds

        return self._settings(Thresholds)

    def check_base(self, checkpoint: Checkpoint) -> None:
        """AdapterError unless it was trained for this checkpoint."""
        if self.base != checkpoint.fingerprint:
            raise AdapterError(
                f"{self.name} was trained for {self.base_name}, this is {checkpoint.name}: "
                "run editflow train again"
            )

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name, on the CPU; whether they fit a base is for `apply` to see."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self.folder / WEIGHTS)
        except (OSError, SafetensorError) as error:
            reason = str(error).partition("\n")[0]
            raise AdapterError(
                f"{shown(self.folder / WEIGHTS)} does not hold an adapter: {reason}"
            ) from error

    def _settings(self, kind: type[Settings]) -> Settings:
        try:
            return build(kind, self.config[kind.__name__.lower()])
        except ValueError as error:
            raise AdapterError(f"{shown(self.folder / CONFIG)}: {error}") from error


def write_adapter(
    folder: Path,
    *,
    repository_name: str,
    repository: str,
    base: Checkpoint,
    tensors: Mapping[str, Tensor],
    thresholds: Thresholds,
    calibration: Calibration,
    facts: Mapping[str, Any],
    card: str,
) -> Adapter:
    """Write an adapter into a folder, its tensors in bfloat16, and read it back.

    `repository` is the root commit; `facts` is JSON. In `repository_name`, which is often a folder's name, what does
    not belong in a name becomes "-".
    """
    from datetime import UTC, datetime

    import torch
    from safetensors.torch import save_file

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    saved = {
        name: t.detach().to("cpu", torch.bfloat16, copy=True).contiguous() for name, t in tensors.items()
    }
    save_file(saved, folder / WEIGHTS)
    (folder / CARD).write_text(card, encoding="utf-8")
    config = {
        "format": FORMAT,
        "name": plain_name(repository_name),
        "repository": repository,
        "base": {"name": base.name, "sha256": base.fingerprint},
        "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "thresholds": asdict(thresholds),
        "calibration": asdict(calibration),
        "facts": dict(facts),
        "files": describe(folder, MEMBERS),
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return Adapter.read(folder)


def plain_name(name: str) -> str:
    """A repository's name in characters that are safe in paths and on terminals."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:64] or "repository"


def read_json(path: Path, most: int) -> Any:
    """The JSON in a file of at most `most` bytes, all its numbers finite; OSError or ValueError where it is none."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it is larger than {most} bytes")
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a finite number")


def _read(path: Path) -> Any:
    try:
        return read_json(path, MAX_CONFIG)
    except FileNotFoundError as error:
        raise AdapterError(f"{shown(path)} is missing: {shown(path.parent)} is not an adapter") from error
    except (OSError, ValueError) as error:
        raise AdapterError(f"{shown(path)} cannot be read: {error}") from error


def _checked(path: Path, config: Any) -> dict[str, Any]:
    """The configuration if it has every part in its form."""
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise AdapterError(f"{shown(path)} is not of adapter format {FORMAT}")
    base, files = _part(config, "base"), _part(config, "files")
    forms = {
        "name": _matches(_NAME, config.get("name")),
        "repository": _matches(ROOT, config.get("repository")),
        "created": _matches(_CREATED, config.get("created")),
        "base": _matches(_SHA256, base.get("sha256")) and _is_line(base.get("name")),
        "files": all(_matches(_SHA256, _part(files, member).get("sha256")) for member in MEMBERS),
    }
    forms |= {part: isinstance(config.get(part), dict) for part in ("thresholds", "calibration", "facts")}
    if wrong := [part for part, fits in forms.items() if not fits]:
        raise AdapterError(f"{shown(path)} lacks a usable {wrong[0]}")
    return config


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    part = config.get(name)
    return part if isinstance(part, dict) else {}


def _matches(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _is_line(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()
