"""What a shard says of itself: enough to refuse what does not belong together, and where its examples are from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from editflow_trainer.data.codec import Codec


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rows need to know of the tokenizer."""

    size: int
    sha256: str
    line_ends: tuple[int, ...]
    separator: tuple[int, ...]
    """Ids that stand between two instructions."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself."""

    codec: Codec
    vocabulary: Vocabulary
    kinds: tuple[str, ...]
    """Names of the kinds of bugs, by the number that sites carry."""
    examples: int = 0
    frames: int = 0
    streams: Mapping[str, int] = field(default_factory=dict)
    """Examples by Source."""
    available: Mapping[str, int] = field(default_factory=dict)
    """Examples with a site of each kind."""
    sources: Mapping[str, int] = field(default_factory=dict)
    """Examples by package, or repository as owner/name."""

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Self:
        """The reverse of `dataclasses.asdict`, after JSON."""
        vocabulary = value["vocabulary"]
        lists = {name: tuple(vocabulary[name]) for name in ("line_ends", "separator")}
        given = {"codec": Codec(value["codec"]), "kinds": tuple(value["kinds"])}
        return cls(**{**value, **given, "vocabulary": Vocabulary(**{**vocabulary, **lists})})
