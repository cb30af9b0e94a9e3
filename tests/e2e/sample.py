"""A file that is broken in five places, and what the default checkpoint makes of it, in two passes that differ."""

BROKEN = '''\
"""Broken in five places."""


def area(width, height)
    return width * height


def longest(names):
    best = ""
    for name in names
        if len(name) > len(best):
            best = name
    return bset


def count(words):
    counts = {}
    for word in words:
        if word = "the":
            continue
        counts[word] = counts.get(word, 0) + 1
    retrun counts


def table(rows):
    return "\\n".join(rows)
'''

FIXED = (
    BROKEN.replace("height)\n", "height):\n")
    .replace("in names\n", "in names:\n")
    .replace("bset", "best")
    .replace('= "the"', '== "the"')
    .replace("retrun", "return")
)

HUNKS = [
    {"line": 4, "new": ":"},
    {"line": 10, "new": ":"},
    {"line": 13, "new": "est"},
    {"line": 19, "new": " =="},
    {"line": 22, "new": "return"},
]
