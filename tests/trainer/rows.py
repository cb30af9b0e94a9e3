"""Small aligned rows with context, for the tests of what trains on them."""

import numpy as np

from editflow.alignment import align
from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, Role
from editflow.window import AFTER, DIAGNOSTIC, EDIT, FILE
from editflow_trainer.shards import Row

LINE_END = FIRST_TEXT_ID
VOCABULARY = 4096  # noise draws replacements below this id


def make_row(seed: int, length: int = 24, *, clean: bool = False) -> Row:
    """A row with a file name, a diagnostic that underlines one token, and an end; edits unless clean."""
    rng = np.random.default_rng(seed)
    source: list[int] = rng.integers(LINE_END, LINE_END + 40, length).tolist()
    target = list(source)
    for _ in range(0 if clean else 3):
        at, gone = int(rng.integers(0, len(target))), int(rng.integers(0, 3))
        target[at : at + gone] = rng.integers(LINE_END, LINE_END + 40, int(rng.integers(0, 4))).tolist()
    z0, z1 = align(source, target, {LINE_END})
    head, tail = [BOS, FILE, 20, DIAGNOSTIC, 21, 22, EDIT], [AFTER, 23, EOS]
    roles = iter([Role.ORIGINAL] * 4 + [Role.MARKED] + [Role.ORIGINAL] * (length - 5))
    role = [0] * len(head) + [int(next(roles)) if token >= 0 else 0 for token in z0] + [0] * len(tail)
    segment = [0, FILE, FILE, DIAGNOSTIC, DIAGNOSTIC, DIAGNOSTIC, 0] + [0] * len(z0) + [AFTER, AFTER, 0]
    return Row(
        np.array(head + z0 + tail, np.int16),
        np.array(head + z1 + tail, np.int16),
        np.array(role, np.uint8),
        np.array(segment, np.uint8),
    )


def make_rows(count: int, clean_every: int = 5) -> list[Row]:
    """Rows of several lengths, every fifth one clean."""
    return [make_row(seed, 8 + seed % 7 * 4, clean=seed % clean_every == 0) for seed in range(count)]
