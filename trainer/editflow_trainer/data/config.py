"""Everything that shapes training rows: which streams are mixed, what may go wrong, which hints are shown."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, field, fields

from editflow.errors import EditFlowError


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares of rows by stream, of any sum; a stream without examples leaves its share to the others."""

    injected: float = 0.42
    """Functions with bugs put in."""
    names: float = 0.1
    """Functions whose bugs are names bound nowhere, so that copying a suggested name is seen often enough."""
    fix: float = 0.2
    """Mined edits whose message says fix."""
    edit: float = 0.13
    """Other mined edits: conditioned on their message."""
    clean: float = 0.15
    """Functions, and mined functions after their edit, in the ratio of the other streams; nothing is to be done."""

    def __post_init__(self) -> None:
        shares = astuple(self)
        if min(shares) < 0 or sum(shares) <= 0:
            raise EditFlowError("the shares of a mixture must be 0 or more, and one of them above 0")


@dataclass(frozen=True, slots=True)
class HintConfig:
    """Chances of what a row is told; all are drawn apart from each other, so every subset occurs."""

    keep_file: float = 0.7
    keep_diagnostic: float = 0.7
    """All complaints about the source and their underlines, or none."""
    keep_instruction: float = 0.4
    """Of a row with injected bugs, or of a mined fix."""
    keep_message: float = 0.85
    """Of another mined edit, which cannot be guessed without it."""
    keep_imports: float = 0.25
    keep_scope: float = 0.7
    keep_around: float = 0.7
    """The text before and after the region, each for itself."""
    line: float = 0.15
    """The lines that change are underlined, as if a person pointed at them; of a clean row, any line."""
    misleading: float = 0.15
    """Clean rows whose instruction asks for what the text gives no reason for."""


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """Random edits on top of a row's own; probabilities are per row unless they say otherwise."""

    mask_rows: float = 0.7
    """Rows of which some tokens become placeholders."""
    mask_most: float = 0.3
    """Largest share of a row's tokens that become placeholders; the share is uniform up to it."""
    mask_span: float = 3.0
    """Mean length of a masked span, in tokens."""
    corrupt_rows: float = 0.35
    """Edited rows that also get random edits; clean rows never do."""
    corrupt_tokens: float = 0.02
    """Mean share of tokens replaced in such a row."""
    spans: float = 1.5
    """Mean number of deleted, and of stray, spans in such a row."""
    span_length: float = 2.0
    """Mean length of such a span."""
    line_rows: float = 0.06
    """Edited rows that miss one or two whole lines."""
    tail_rows: float = 0.06
    """Edited rows that miss a run from some token to the end of its line."""
    vocabulary: int = 4096
    """Random tokens that are not from the row come from the ids below this one: the frequent ones."""


@dataclass(frozen=True, slots=True)
class BugConfig:
    """How many bugs an injected row gets."""

    single: float = 0.45
    """Rows with one bug."""
    mean: float = 4.0
    """Mean number in the others, which have at least two."""
    most: int = 10
    focused: int = 5
    """Most bugs of a row of the stream `names`."""


@dataclass(frozen=True, slots=True)
class DataConfig:
    """All of it; rows depend on the shards, this, the seed and their index alone."""

    mixture: Mixture = field(default_factory=Mixture)
    hints: HintConfig = field(default_factory=HintConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    bugs: BugConfig = field(default_factory=BugConfig)

    def __post_init__(self) -> None:
        for part in (self.hints, self.noise, self.bugs):
            _check(part)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)


_OTHER = {"mask_span", "spans", "span_length", "vocabulary", "mean", "most", "focused"}
"""What is no probability."""


def _check(part: HintConfig | NoiseConfig | BugConfig) -> None:
    for option in fields(part):
        value = getattr(part, option.name)
        if value < 0 or (option.name not in _OTHER and value > 1):
            raise EditFlowError(
                f"{option.name} must be {'positive' if value < 0 else 'at most 1'}, not {value}"
            )
    if isinstance(part, NoiseConfig) and min(part.mask_span, part.span_length) < 1:
        raise EditFlowError("mask_span and span_length must be at least 1")
    if isinstance(part, BugConfig) and (part.mean <= 2 or min(part.most, part.focused) < 1):
        raise EditFlowError("mean must be above 2, most and focused at least 1")
