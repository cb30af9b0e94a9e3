"""Count the words of a text and print the most frequent ones."""

import re
import sys
from collections import Counter


def split_words(text):
    words = re.findall(r"[a-z']+", text.lower())
    return [word for word in words if len(word) > 1]


def count_words(text, ignored=()):
    counts = Counter()
    for word in split_words(text)
        if word not in ignored:
            counts[word] += 1
    return counts


def format_table(counts, limit=10):
    rows = []
    for word, count in counts.most_common(limit):
        rows.append(wrod.ljust(20) + str(count))
    return "\n".join(rows)


if __name__ == "__main__":
    print(format_table(count_words(sys.stdin.read())))
