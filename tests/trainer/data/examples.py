"""Small examples for the tests of training data: random tokens, with bugs of given kinds put between them."""

from pathlib import Path

import numpy as np

from editflow.alignment import align
from editflow.canvas import FIRST_TEXT_ID
from editflow.process.base import BLANK
from editflow.window import AFTER, FILE
from editflow_trainer.data.codec import Codec
from editflow_trainer.data.example import Complaint, Example, Site, Source
from editflow_trainer.data.header import Header, Vocabulary
from editflow_trainer.data.row import Ids
from editflow_trainer.data.writing import write_shards
from editflow_trainer.injection import VISIBLE, BugKind

LINE_END = FIRST_TEXT_ID
SEPARATOR = FIRST_TEXT_ID + 1
VOCABULARY = 600
KINDS = tuple(BugKind)
HEADER = Header(Codec.zlib, Vocabulary(VOCABULARY, "digest", (LINE_END,), (SEPARATOR,)), KINDS)


def ids(*tokens: int) -> Ids:
    return np.array(tokens, np.int32)


def make_function(seed: int, kinds: tuple[BugKind, ...] = KINDS[:6], space: int = 4) -> Example:
    """A clean function with one site of each kind, `space` tokens apart; a visible one underlines its own tokens."""
    rng = np.random.default_rng(seed)
    clean = rng.integers(FIRST_TEXT_ID + 40, VOCABULARY, (len(kinds) + 1) * space).astype(np.int32)
    clean[space - 1 :: space] = LINE_END
    sites = tuple(make_site(clean, 1 + n * space, kind, rng) for n, kind in enumerate(kinds))
    return Example(Source.FUNCTION, clean, clean, ((FILE, ids(20)), (AFTER, ids(23, 24))), sites=sites)


def make_site(clean: Ids, start: int, kind: BugKind, rng: np.random.Generator) -> Site:
    """One clean token replaced by none, one or two others."""
    count = int(rng.integers(0, 3))
    new = rng.integers(FIRST_TEXT_ID + 2, FIRST_TEXT_ID + 40, count).tolist()
    z0, z1 = align(new, clean[start : start + 1].tolist(), {LINE_END})
    found = (Complaint(ids(30 + KINDS.index(kind)), 0, max(1, count)),) if kind in VISIBLE else ()
    return Site(KINDS.index(kind), start, start + 1, ids(*z0), ids(*z1), ids(100 + KINDS.index(kind)), found)


def make_mined(seed: int) -> Example:
    """A mined edit of random tokens, with a message and a complaint."""
    rng = np.random.default_rng(seed)
    source = rng.integers(LINE_END, LINE_END + 40, 12 + seed % 5 * 4).tolist()
    target = [*source[:5], *rng.integers(LINE_END + 40, LINE_END + 80, 3).tolist(), *source[7:]]
    z0, z1 = (ids(*side) for side in align(source, target, {LINE_END}))
    kind = Source.FIX if seed % 2 else Source.EDIT
    return Example(kind, z0, z1, ((FILE, ids(21)),), ids(50, 51), (Complaint(ids(52), 4, 6),))


def make_shards(folder: Path, functions: int = 30, mined: int = 20) -> Path:
    """Two shards."""
    made = [(f"package{seed % 3}", make_function(seed, KINDS[seed % 7 :][:6])) for seed in range(functions)]
    write_shards(folder, "functions", made, HEADER, 1 << 20)
    write_shards(
        folder, "mined", [("owner/name", make_mined(seed)) for seed in range(mined)], HEADER, 1 << 20
    )
    return folder


def stripped(values: Ids) -> list[int]:
    tokens: list[int] = values[values != BLANK].tolist()
    return tokens
