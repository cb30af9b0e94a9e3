"""Examples as bytes: small numbers first, then tokens, both 16 bits wide, many examples to a frame.

Numbers and tokens are kept apart, and their low and high bytes too, because like things compress better together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from editflow.process.base import BLANK
from editflow_trainer.data.example import Complaint, Example, Site, Source
from editflow_trainer.data.row import Ids

LARGEST = 0xFFFE
"""Largest token id; the one above stands for BLANK."""
Words = npt.NDArray[np.uint16]


class Writer:
    """Collects the numbers and tokens of one example."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.tokens: list[Ids] = []

    def example(self, example: Example) -> None:
        """Append an example; its target is written in full, its source where it differs."""
        edited = example.z0 is not example.z1 and not np.array_equal(example.z0, example.z1)
        self.numbers += [int(example.source), int(edited)]
        self._ids(example.z1)
        self.tokens += [example.z0] if edited else []
        self.numbers.append(len(example.context))
        for marker, tokens in example.context:
            self.numbers.append(marker)
            self._ids(tokens)
        self._ids(example.instruction)
        self._complaints(example.complaints)
        self.numbers.append(len(example.sites))
        for site in example.sites:
            self._site(site)

    def _site(self, site: Site) -> None:
        self.numbers += [site.kind, site.start, site.end]
        self._ids(site.z0)
        self.tokens.append(site.z1)
        self._ids(site.instruction)
        self._complaints(site.complaints)

    def _complaints(self, complaints: tuple[Complaint, ...]) -> None:
        self.numbers.append(len(complaints))
        for complaint in complaints:
            self.numbers += [complaint.start, complaint.end]
            self._ids(complaint.message)

    def _ids(self, ids: Ids) -> None:
        self.numbers.append(len(ids))
        self.tokens.append(ids)


class Reader:
    """The reverse of a writer."""

    def __init__(self, numbers: Sequence[int], tokens: Ids) -> None:
        self._numbers: Iterator[int] = iter(numbers)
        self._tokens = tokens
        self._at = 0

    def example(self) -> Example:
        """The next example."""
        read = self._numbers
        source, edited = Source(next(read)), next(read)
        z1 = self._ids()
        z0 = self._take(len(z1)) if edited else z1
        context = tuple((next(read), self._ids()) for _ in range(next(read)))
        instruction = self._ids()
        complaints = self._complaints()
        sites = tuple(self._site() for _ in range(next(read)))
        return Example(source, z0, z1, context, instruction, complaints, sites)

    def _site(self) -> Site:
        read = self._numbers
        kind, start, end = next(read), next(read), next(read)
        z0 = self._ids()
        return Site(kind, start, end, z0, self._take(len(z0)), self._ids(), self._complaints())

    def _complaints(self) -> tuple[Complaint, ...]:
        read, found = self._numbers, []
        for _ in range(next(read)):
            start, end = next(read), next(read)
            found.append(Complaint(self._ids(), start, end))
        return tuple(found)

    def _ids(self) -> Ids:
        return self._take(next(self._numbers))

    def _take(self, count: int) -> Ids:
        taken = self._tokens[self._at : self._at + count]
        self._at += count
        return taken


def pack(examples: Iterable[Example]) -> bytes:
    """A frame: the number of examples, the sizes of each, then all numbers, then all tokens.

    Raises:
        OverflowError: a number or a token needs more than 16 bits.
    """
    sizes: list[int] = []
    numbers: list[int] = []
    tokens: list[Ids] = []
    for example in examples:
        writer = Writer()
        writer.example(example)
        sizes += [len(writer.numbers), sum(map(len, writer.tokens))]
        numbers += writer.numbers
        tokens += writer.tokens
    flat = np.concatenate([*tokens, np.zeros(0, np.int32)])
    if flat.size and (flat.max() > LARGEST or flat.min() < BLANK):
        raise OverflowError(f"token ids must be at most {LARGEST}")
    head = np.array([len(sizes) // 2, *sizes], "<u4")
    words = np.array(numbers, np.int16).view(np.uint16), flat.astype(np.uint16)
    return head.tobytes() + b"".join(map(_planes, words))


class Frame:
    """A frame's bytes, from which single examples are read."""

    def __init__(self, data: bytes) -> None:
        count = int(np.frombuffer(data, "<u4", 1)[0])
        sizes = np.frombuffer(data, "<u4", 2 * count, 4).reshape(count, 2).astype(np.int64)
        self._ends = sizes.cumsum(0)
        self._starts = self._ends - sizes
        begin = 4 + 8 * count
        numbers, tokens = self._ends[-1].tolist() if count else (0, 0)
        self._numbers = _words(data, begin, numbers).view(np.int16)
        self._tokens = _words(data, begin + 2 * numbers, tokens)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> Example:
        (a, c), (b, d) = self._starts[index], self._ends[index]
        tokens = self._tokens[c:d].astype(np.int32)
        tokens[tokens > LARGEST] = BLANK
        return Reader(self._numbers[a:b].tolist(), tokens).example()


def _planes(words: Words) -> bytes:
    """All low bytes, then all high bytes."""
    return words.astype("<u2").view(np.uint8).reshape(-1, 2).T.tobytes()


def _words(data: bytes, offset: int, count: int) -> Words:
    planes = np.frombuffer(data, np.uint8, 2 * count, offset).reshape(2, count)
    words: Words = planes[0] | planes[1].astype(np.uint16) << 8
    return words
