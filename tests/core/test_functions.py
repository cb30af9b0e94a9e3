"""Functions of Python text: which one holds given lines."""

import pytest

from editflow.functions import enclosing_function

TEXT = """\
import os

@cache
def first(x):
    def inner():
        return x
    return inner

class Thing:
    size = 1

    def second(self):
        return self.size
"""


@pytest.mark.parametrize(
    ("lines", "function"),
    [
        ((1, 1), None),
        ((2, 2), None),
        ((3, 3), (3, 7)),
        ((6, 6), (3, 7)),
        ((7, 8), (3, 7)),
        ((8, 8), None),
        ((10, 10), None),
        ((12, 12), (12, 13)),
        ((1, 13), (3, 7)),
        ((13, 99), (12, 13)),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_function_around_lines(
    lines: tuple[int, int], function: tuple[int, int] | None, newline: str
) -> None:
    assert enclosing_function(TEXT.replace("\n", newline), *lines) == function


def test_a_broken_function_is_found_by_its_indentation() -> None:
    broken = "def f(x)\n    return x\n\n\ndef g(y):\n    return (y\n"
    assert enclosing_function(broken, 2, 2) == (1, 2)
    assert enclosing_function(broken, 6, 6) == (5, 6)
