"""A checkpoint on disk: weights, tokenizer, configuration and card in one folder, verified before it is used.

`config.json` holds the size and sha256 of every other file. Weights are safetensors only: a pickle is refused by
its content, not by its name, and nothing in a checkpoint can run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from editflow.errors import EditFlowError

if TYPE_CHECKING:
    from editflow.backbone import Backbone, BackboneConfig
    from editflow.process.continuous import FlowConfig
    from editflow.process.edit_flow import Thresholds
    from editflow.tokens import CodeTokenizer

Settings = TypeVar("Settings")
FORMAT = 1
CONFIG, WEIGHTS, TOKENIZER, CARD = "config.json", "model.safetensors", "tokenizer.json", "MODEL_CARD.md"
MEMBERS = (WEIGHTS, TOKENIZER, CARD)
DEFAULT = "default"
SCALE = "_scale"
"""In the weights, what is added to an int8 matrix's name for the scales of its rows."""


class CheckpointError(EditFlowError):
    """A checkpoint that is missing, damaged, or not of this format."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic maps from a hunk's raw probability to the chance that it is right, fitted on held-out data.

    One for each operation (see editflow.confidence): a slope and an intercept that all share, with what each adds.
    """

    slope: float = 1.0
    intercept: float = 0.0
    delete_slope: float = 0.0
    delete_intercept: float = 0.0
    substitute_slope: float = 0.0
    substitute_intercept: float = 0.0
    insert_slope: float = 0.0
    insert_intercept: float = 0.0
    verified: float = 0.0
    """Log odds that are added first where a complaint is gone with the edit and comes back without it."""
    suggested: float = 0.0
    """Log odds that are added first where a name becomes the one suggested, and taken where another one."""
    instructed: float = 0.0
    """Log odds that are added first where the request says in words what to change."""
    show: float = 0.5
    """Hunks below this calibrated confidence are not proposed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A verified folder; parts are read on demand."""

    folder: Path
    config: dict[str, Any]

    @classmethod
    def open(cls, name: str) -> Checkpoint:
        """Find a checkpoint by name (`default`) or path, and check every file against config.json."""
        checkpoint = cls.read(name)
        checkpoint.verify()
        return checkpoint

    @classmethod
    def read(cls, name: str) -> Checkpoint:
        """Find a checkpoint and read config.json alone: enough to tell which one it is."""
        folder = locate(name)
        if not folder.is_dir():
            raise CheckpointError(f"no checkpoint at {folder}: name a folder, or {DEFAULT!r}")
        return cls(folder, _read_config(folder))

    def verify(self) -> None:
        """CheckpointError unless every member has the size and sha256 that config.json states."""
        if problem := damage(self.folder, MEMBERS, self.config["files"]):
            raise CheckpointError(f"{problem}: get the checkpoint again")

    @property
    def fingerprint(self) -> str:
        """sha256 of the weights: how adapters and reports name this model."""
        stated = self.config["files"].get(WEIGHTS)
        if not isinstance(stated, dict) or not isinstance(stated.get("sha256"), str):
            raise CheckpointError(
                f"{self.folder / CONFIG} does not describe {WEIGHTS}: get the checkpoint again"
            )
        return str(stated["sha256"])

    @property
    def name(self) -> str:
        """A short name for reports."""
        return f"{self.config['name']}@{self.fingerprint[:8]}"

    def calibration(self) -> Calibration:
        """How raw probabilities become confidences."""
        return _build(Calibration, self.config["calibration"])

    def thresholds(self) -> Thresholds:
        """When operations fire."""
        from editflow.process.edit_flow import Thresholds

        return _build(Thresholds, self.config["thresholds"])

    def flow(self) -> FlowConfig:
        """How the network is read in continuous time; one that was trained without is read by its base quantities."""
        from editflow.process.continuous import FlowConfig

        return _build(FlowConfig, self.config.get("flow") or {})

    @property
    def in_continuous_time(self) -> bool:
        """Whether the network was trained for the continuous-time process, and only for that."""
        return bool(self.config.get("flow"))

    def backbone_config(self) -> BackboneConfig:
        """Shape of the network."""
        from editflow.backbone import BackboneConfig

        return _build(BackboneConfig, self.config["backbone"])

    def tokenizer(self) -> CodeTokenizer:
        """The tokenizer the model was trained with."""
        from editflow.tokens import CodeTokenizer

        try:
            tokenizer = CodeTokenizer.from_file(self.folder / TOKENIZER)
        except Exception as error:  # the library raises bare Exception on malformed JSON
            raise CheckpointError(f"{self.folder / TOKENIZER} cannot be read: {error}") from error
        if tokenizer.size > self.backbone_config().vocab_size:
            raise CheckpointError(
                f"{self.folder / TOKENIZER} has more tokens than the model: get the checkpoint again"
            )
        return tokenizer

    def backbone(self) -> Backbone:
        """The network with its weights, in float32 on the CPU, ready to infer; the file may hold them in int8."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from editflow.backbone import Backbone
        from editflow.quantization import dequantize

        config = self.backbone_config()
        if (
            config.matrix_size() > (self.folder / WEIGHTS).stat().st_size
        ):  # bytes: a weight takes at least one
            raise CheckpointError(f"{self.folder / WEIGHTS} does not hold this model: it is too small for it")
        model = Backbone(config)
        try:
            model.load_state_dict(dequantize(load_file(self.folder / WEIGHTS)), assign=True)
        except (SafetensorError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(f"{self.folder / WEIGHTS} does not hold this model: {reason}") from error
        return model.eval().requires_grad_(False)


def locate(name: str) -> Path:
    """The folder of a shipped checkpoint by name, else the path itself."""
    shipped = shipped_folder() / name
    return shipped if "/" not in name and shipped.is_dir() else Path(name).expanduser()


def shipped_folder() -> Path:
    """Where the package keeps its own checkpoints."""
    return Path(str(files("editflow"))) / "weights"


def shipped() -> list[str]:
    """Names of the checkpoints inside the package."""
    folder = shipped_folder()
    return sorted(p.name for p in folder.iterdir() if (p / CONFIG).is_file()) if folder.is_dir() else []


def write_config(
    folder: Path,
    name: str,
    backbone: BackboneConfig,
    thresholds: Thresholds,
    calibration: Calibration,
    flow: FlowConfig | None = None,
) -> None:
    """Write config.json for the members that lie in `folder`; `flow` where the network was trained for one."""
    config = {
        "format": FORMAT,
        "name": name,
        "process": "edit_flow",
        "backbone": backbone.as_dict(),
        "thresholds": asdict(thresholds),
        "calibration": asdict(calibration),
        "files": describe(folder, MEMBERS),
    }
    if flow is not None:
        config["flow"] = asdict(flow)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def describe(folder: Path, members: Iterable[str]) -> dict[str, dict[str, int | str]]:
    """Size in bytes and sha256 of files in a folder, by name."""
    return {m: {"size": (folder / m).stat().st_size, "sha256": sha256(folder / m)} for m in members}


def damage(folder: Path, members: Iterable[str], stated: Mapping[str, Any]) -> str | None:
    """What is wrong with the first member that is not as `describe` had it; None where all are."""
    for member in members:
        path, facts = folder / member, stated.get(member)
        if not isinstance(facts, dict):
            return f"{folder} does not say what {member} is"
        if not path.is_file():
            return f"{path} is missing"
        if (path.stat().st_size, sha256(path)) != (facts.get("size"), facts.get("sha256")):
            return f"{path} is truncated or was changed"
    return None


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing: {folder} is not a checkpoint") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    parts = ("backbone", "thresholds", "calibration", "files")
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not of checkpoint format {FORMAT}")
    dicts = [config.get(part) for part in parts] + [config.get("flow", {})]
    if not all(isinstance(part, dict) for part in dicts) or not isinstance(config.get("name"), str):
        raise CheckpointError(f"{path} lacks one of: name, {', '.join(parts)}")
    return config


def build(kind: type[Settings], values: dict[str, Any]) -> Settings:
    """A settings dataclass from plain finite numbers and names; ValueError on unknown names or bad values."""
    defaults = {f.name: f.default for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in values.items():
        named = isinstance(defaults.get(name), str)
        fits = isinstance(value, str if named else int | float) and not isinstance(value, bool)
        if name not in defaults or not fits or not (named or -inf < value < inf):
            raise ValueError(f"an unknown or unfit value for {kind.__name__}: {name}")
    return kind(**values)


def _build(kind: type[Settings], values: dict[str, Any]) -> Settings:
    try:
        return build(kind, values)
    except ValueError as error:
        raise CheckpointError(f"{CONFIG}: {error}") from error
