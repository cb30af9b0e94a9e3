"""Which blocks of a deep model a shallow one keeps."""

from __future__ import annotations

from editflow_trainer.adaptation.errors import AdaptationError


def ends(total: int, keep: int) -> list[int]:
    """`keep` of `total` blocks: those at both ends, so that one run of blocks in the middle goes.

    The first blocks and the last one change the hidden state most (ShortGPT, Men et al. 2024, arXiv 2403.03853), and
    neighbours fit together without training (Gromov et al. 2024, arXiv 2403.17887); see docs/adaptation.md.
    """
    if not 1 <= keep <= total:
        raise AdaptationError(f"the model has {total} layers: keep from 1 to {total}, not {keep}")
    last = keep // 2
    return [*range(keep - last), *range(total - last, total)]


def parse(text: str, total: int) -> list[int]:
    """Blocks by number from 0, in the order written: `0-5,24-29`, or `0,2,4`."""
    chosen: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            chosen += range(int(first), int(last or first) + 1)
        except ValueError as error:
            raise AdaptationError(f"layers are written 0-5,24-29, not {text!r}") from error
    if not chosen or max(chosen) >= total or min(chosen) < 0:
        raise AdaptationError(f"the model has layers 0 to {total - 1}, which {text!r} must name")
    return chosen
