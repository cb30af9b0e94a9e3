"""Which words changed between an old line and the new one it is paired with."""

import re
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import accumulate

from editflow_tui.view import Range

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
MOST_WORDS = 300  # difflib is quadratic: longer lines are shown as changed in one piece
LEAST_COMMON = 0.3  # less alike than this, marking words tells a reader nothing

Ranges = tuple[Range, ...]


@lru_cache(maxsize=2048)
def changed_words(old: str, new: str) -> tuple[Ranges, Ranges]:
    """Character ranges that differ in the old and in the new line; none where the lines have little in common."""
    a, b = _WORD.findall(old), _WORD.findall(new)
    if max(len(a), len(b)) > MOST_WORDS:
        return _middle(old, new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if _common(a, matcher) < LEAST_COMMON * min(map(_count, (a, b))):
        return (), ()
    changes = [code[1:] for code in matcher.get_opcodes() if code[0] != "equal"]
    old_at, new_at = (list(accumulate(map(len, words), initial=0)) for words in (a, b))
    old_ranges = tuple((old_at[i1], old_at[i2]) for i1, i2, _, _ in changes if i1 < i2)
    new_ranges = tuple((new_at[j1], new_at[j2]) for _, _, j1, j2 in changes if j1 < j2)
    return old_ranges, new_ranges


def _common(words: list[str], matcher: "SequenceMatcher[str]") -> int:
    """How many of the words, white space aside, both lines share."""
    return sum(_count(words[block.a : block.a + block.size]) for block in matcher.get_matching_blocks())


def _count(words: list[str]) -> int:
    return sum(not word.isspace() for word in words)


def _middle(old: str, new: str) -> tuple[Ranges, Ranges]:
    """What is left when the equal ends of two long lines are cut off."""
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    return _span(head, len(old) - tail), _span(head, len(new) - tail)


def _span(start: int, end: int) -> Ranges:
    return ((start, end),) if start < end else ()
