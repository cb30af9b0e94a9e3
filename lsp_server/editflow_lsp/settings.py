"""What the person has set in the editor, and what is left of it for a file once its repository has narrowed it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from editflow import globs
from editflow.configuration import Checks, Configuration, is_count, is_flag, is_list, is_probability

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FOR_GOOD = ("model", "device", "daemon")
"""What a running server cannot change."""
_OF_THE_CLIENT = ("interpreter", "jump_after_accept", "max_hz", "preview", "trace")
"""Settings of the same section that an editor's extension reads itself."""
_LONGEST_KEY = 40
DEVICES = ("auto", "cpu", "cuda")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


_CHECKS: Checks = {
    "model": (_is_name, "the name or folder of a model"),
    "device": (lambda value: value in DEVICES, "auto, cpu or cuda"),
    "daemon": (is_flag, "true or false"),
    "adapter": (lambda value: value in ("auto", "none"), "auto or none"),
    "threshold": (lambda value: value is None or is_probability(value), "null or a number from 0 to 1"),
    "review": (lambda value: value in ("auto", "always"), "auto or always"),
    "exclude": (is_list, "a list of patterns"),
    "max_lines": (is_count, "a whole number above 0"),
    "suspicion": (is_flag, "true or false"),
    "record_outcomes": (is_flag, "true or false"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one client."""

    model: str = "default"
    device: str = "auto"
    daemon: bool = True
    """Whether the model may be shared with other windows."""
    adapter: Literal["auto", "none"] = "auto"
    """Whether a document is fixed with what `editflow train` has learned from its repository."""
    threshold: float | None = None
    """Confidence below which nothing is proposed; None is the model's own."""
    review: Literal["auto", "always"] = "auto"
    exclude: tuple[str, ...] = ()
    """Patterns of `editflow.globs`, relative to the workspace folder."""
    max_lines: int = 10_000
    """Most lines of a file that is edited."""
    suspicion: bool = False
    """Whether hints show where the flow would edit, on open and save."""
    record_outcomes: bool = False
    """Whether what became of proposals is kept, on this machine."""

    @classmethod
    def read(cls, *layers: object, running: Settings | None = None) -> tuple[Settings, list[str]]:
        """Settings from JSON values, the initialization options first, and what is wrong with them in words.

        Later layers win, but for what cannot change once the engine is `running` with settings. Never raises: a bad
        value counts as not given.
        """
        settings, problems = Settings(), []
        for layer in layers:
            values, wrong = _checked(layer)
            problems += wrong
            settings = replace(settings, **values)
        for name in _FOR_GOOD if running is not None else ():
            if getattr(settings, name) != getattr(running, name):
                problems.append(f"restart to use the new {name}")
                settings = replace(settings, **{name: getattr(running, name)})
        return settings, problems

    def narrowed(self, configuration: Configuration) -> Effective:
        """What holds for the files of a configuration."""
        return Effective(self, configuration)


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings for a file whose repository has a configuration, which can only take away."""

    settings: Settings
    configuration: Configuration

    @property
    def threshold(self) -> float | None:
        """Confidence to ask the model for: the higher of the person's and the repository's; None is the model's own."""
        chosen = self.settings.threshold
        return None if chosen is None else max(chosen, self.least_confidence)

    @property
    def least_confidence(self) -> float:
        """Confidence below which nothing may be proposed, also where the model's own threshold is lower."""
        return self.configuration.threshold or 0.0

    def refusal(self, path: Path | None, lines: int, folder: Path | None = None) -> str | None:
        """Why a document of so many lines is left alone, in words; None where it is not.

        A document that is no file has no path; `folder` is the workspace folder that the file is in.
        """
        if path is not None and globs.matches(self.settings.exclude, _relative(path, folder)):
            return "excluded by your settings"
        if lines > self.settings.max_lines:
            return f"{lines} lines are more than the {self.settings.max_lines} of your settings"
        return self.configuration.refusal(path, lines)


def _relative(path: Path, folder: Path | None) -> Path:
    inside = folder is not None and path.is_relative_to(folder)
    return path.relative_to(folder if inside and folder else path.anchor)


def _checked(layer: object) -> tuple[dict[str, Any], list[str]]:
    """The good values of one layer by the names of their fields, and problems."""
    if layer is None:
        return {}, []
    if not isinstance(layer, Mapping):
        return {}, ["the settings must be an object"]
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in layer.items():
        name = _HUMP.sub("_", str(key)).lower()
        if name not in _CHECKS:
            if name not in _OF_THE_CLIENT:
                problems.append(f"unknown setting {str(key)[:_LONGEST_KEY]!a}")
            continue
        accepts, expected = _CHECKS[name]
        if accepts(value):
            values[name] = value
        elif value is not None:
            problems.append(f"{key} must be {expected}")
    if "exclude" in values:
        values["exclude"], wrong = globs.usable(values["exclude"])
        problems += [f"exclude {reason}" for reason in wrong]
    return values, problems
