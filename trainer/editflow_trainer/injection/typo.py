"""Slips of the keyboard: how a word comes out when it is typed too fast."""

import random

_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad",
    "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def mistype(word: str, rng: random.Random) -> str:
    """`word` with one letter dropped, doubled or replaced by a neighbour on the keyboard, or two transposed.

    The first letter is mostly left alone; the result may equal `word`.
    """
    low = 0 if len(word) < 3 or rng.random() < 0.1 else 1
    at = rng.randrange(low, len(word))
    slip = rng.random()
    if slip < 0.4 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if slip < 0.7:
        return word[:at] + word[at + 1 :]
    if slip < 0.85:
        return word[: at + 1] + word[at:]
    return word[:at] + rng.choice(_NEAR.get(word[at], word[at])) + word[at + 1 :]
