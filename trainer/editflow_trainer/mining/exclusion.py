"""Evaluation data to keep out of what is mined: edits of which either side is, or resembles, one of its texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from datasketch import MinHashLSH

from editflow_trainer.corpus import MIN_BODY, evaluation_rows, function_digests
from editflow_trainer.mining.dedup import SHINGLE, THRESHOLD, shingles, signature, similarity_index
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.filters import dedented

SHORTEST = 60  # characters; shorter texts coincide by chance
_SHORTEST_RUN = MIN_BODY - SHINGLE + 1  # shingles of the shortest body that has a digest of its own
_COMMENT = re.compile(r"#[^\n]*")


class Exclusion:
    """The texts of evaluation data, wherever they stand in a row of a *.jsonl."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._texts = sorted({text for row in evaluation_rows(folders) for text in _strings(row)})

    def __len__(self) -> int:
        return len(self._texts)

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same texts, whatever their files are called."""
        return sha256("\0".join(self._texts).encode("utf-8", "surrogatepass")).hexdigest()

    def covers(self, edit: MinedEdit) -> bool:
        """Whether a side holds a function or body of the data, or nearly is one of its texts."""
        return bool(self) and any(self._holds(side) for side in (edit.before, edit.after))

    def _holds(self, side: str) -> bool:
        text = dedented(side)
        # Parsing and hashing every side would take longer than mining it, and few share much with the data.
        known = [shingle in self._shingles for shingle in shingles(_plain(text))]
        if sum(known) >= THRESHOLD * len(known) and self._similar.query(signature(_plain(text))):
            return True
        run = max((len(list(same)) for is_known, same in groupby(known) if is_known), default=0)
        return run >= _SHORTEST_RUN and not self._digests.isdisjoint(function_digests(text))

    @cached_property
    def _shingles(self) -> frozenset[str]:
        return frozenset(shingle for text in self._texts for shingle in shingles(_plain(text)))

    @cached_property
    def _digests(self) -> frozenset[bytes]:
        return frozenset(digest for text in self._texts for digest in function_digests(text))

    @cached_property
    def _similar(self) -> MinHashLSH:
        return similarity_index(map(_plain, self._texts))


def _plain(text: str) -> str:
    return _COMMENT.sub("", text)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= SHORTEST:
            yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
