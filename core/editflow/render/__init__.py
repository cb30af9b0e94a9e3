"""Views of a proposal for the terminal: a coloured diff, the flow of passes, a heat map, a progress bar.

Each view is a pure function from values to `rich` text or to plain lines; `terminal` says which of the two a
stream takes. What comes from a file reaches a terminal only through `editflow.patch.visible`.
"""

import io
from typing import TextIO

from rich.console import Console


def terminal(stream: TextIO) -> Console:
    """A console on the stream that prints text as it is: no markup, no highlighting."""
    if isinstance(stream, io.TextIOWrapper) and stream.isatty():
        stream.reconfigure(errors="replace")  # a terminal in a narrow encoding shows "?" and goes on
    return Console(file=stream, markup=False, emoji=False, highlight=False)


def is_rich(console: Console) -> bool:
    """Whether the stream shows colour and motion: a terminal, not a dumb one, and NO_COLOR is not set."""
    return console.file.isatty() and console.is_interactive and not console.no_color
