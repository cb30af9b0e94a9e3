"""Edits met before: the same text by SHA-256, nearly the same change by MinHash (Broder 1997) with datasketch.

Near duplicates are judged by the changed lines and a few around them, not by whole functions: a long function
that is edited twice is not one edit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import numpy as np
from datasketch import MinHash, MinHashLSH

from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.hunks import hunks, lines_of
from editflow_trainer.mining.reasons import Reason

PERMUTATIONS = 128
THRESHOLD = 0.7  # Jaccard similarity
SHINGLE = 5  # tokens
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is compared of an edit."""

    digest: bytes  # of the texts before and after without white space
    signature: bytes  # the MinHash of the change, PERMUTATIONS uint32

    @classmethod
    def of(cls, edit: MinedEdit) -> Fingerprint:
        """The fingerprint of an edit."""
        sides = (" ".join(_TOKEN.findall(side)) for side in (edit.before, edit.after))
        digest = sha256("\0".join(sides).encode("utf-8", "surrogatepass")).digest()
        return cls(digest, signature(changed_text(edit)).hashvalues.tobytes())


class Seen:
    """The edits met so far, whatever repository they come from."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()
        self._signatures = similarity_index()

    def reason(self, fingerprint: Fingerprint) -> Reason | None:
        """Why an edit is a duplicate; one that is none is remembered."""
        if fingerprint.digest in self._digests:
            return Reason.duplicate
        minhash = _minhash(np.frombuffer(fingerprint.signature, np.uint32))
        if self._signatures.query(minhash):
            return Reason.near_duplicate
        self._digests.add(fingerprint.digest)
        self._signatures.insert(fingerprint.digest, minhash)
        return None


def changed_text(edit: MinedEdit) -> str:
    """The lines before and after of each changed place, with their neighbours."""
    found = hunks(lines_of(edit.before), lines_of(edit.after))
    return "".join(f"< {''.join(hunk.before)} > {''.join(hunk.after)}" for hunk in found)


def shingles(text: str) -> list[str]:
    """A text's runs of SHINGLE words and signs, in order; a shorter text is one."""
    tokens = _TOKEN.findall(text)
    return [" ".join(tokens[i : i + SHINGLE]) for i in range(max(1, len(tokens) - SHINGLE + 1))]


def signature(text: str) -> MinHash:
    """The MinHash of a text's shingles."""
    minhash = _minhash()
    minhash.update_batch({shingle.encode("utf-8", "replace") for shingle in shingles(text)})
    return minhash


def similarity_index(texts: Iterable[str] = ()) -> MinHashLSH:
    """An index of texts that finds those whose similarity is about THRESHOLD or more."""
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    for number, text in enumerate(texts):
        index.insert(number, signature(text))
    return index


@cache
def _template() -> MinHash:
    return MinHash(num_perm=PERMUTATIONS)


def _minhash(values: np.ndarray[tuple[int], np.dtype[np.uint32]] | None = None) -> MinHash:
    """A MinHash; making its permutations anew would take longer than all else."""
    made = _template()
    return MinHash(
        num_perm=PERMUTATIONS, scheme=made.scheme, permutations=made.permutations, hashvalues=values
    )
