"""The definition around a line."""

import pytest

from editflow.document import Document
from editflow_tui.headings import heading

TEXT = """import os

class Store:
    size = 1

    async def load(self):
        if os:
            return 1
        return 2

def last():
    pass
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (0, ""),
        (3, "class Store:"),
        (6, "async def load(self):"),
        (8, "async def load(self):"),
        (5, "class Store:"),
        (10, ""),
        (11, "def last():"),
        (12, ""),
    ],
)
def test_a_line_belongs_to_the_definition_that_is_indented_less(line: int, expected: str) -> None:
    assert heading(Document.from_text(TEXT), line) == expected
