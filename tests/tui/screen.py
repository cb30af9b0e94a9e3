"""A terminal's screen, as far as the reviewer may use one: whatever else would reach the terminal is an error."""

from __future__ import annotations

import re
import unicodedata
from codecs import getincrementaldecoder

from rich.cells import get_character_cell_size

_SEQUENCE = re.compile(
    r"\x1b\[(?P<parameters>[<=>?]?[0-9;:]*)\$?(?P<final>[@-~])"
    r"|\x1b\](?P<command>[0-9]+);(?P<payload>[ -~]*)(?:\x07|\x1b\\)"
)
_BEGINNING = re.compile(r"\x1b(?:\[[<=>?]?[0-9;:]*\$?|\][ -~]*\x1b?)?")
_KNOWN_FINALS = frozenset("mHhlpu")
"""Style, place, modes on and off, questions about modes, keyboard protocol."""
_CLIPBOARD, _POINTER = "52", "22"
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})


class UnexpectedOutput(Exception):
    """The terminal was sent what no text of a reviewed file may send it."""


class Screen:
    """Takes what a program writes and remembers where its characters stand."""

    def __init__(self, columns: int, rows: int) -> None:
        self.modes: set[str] = set()
        """Those that are on."""
        self.keyboard_levels = 0
        self._decoder = getincrementaldecoder("utf-8")("strict")
        self._rest = ""
        self.resize(columns, rows)

    @property
    def rows(self) -> list[str]:
        """What is seen, without spaces at the end."""
        return ["".join(row).rstrip() for row in self._cells]

    @property
    def text(self) -> str:
        """All rows."""
        return "\n".join(self.rows)

    def resize(self, columns: int, rows: int) -> None:
        """Another size, with nothing on it."""
        self._cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0

    def feed(self, data: bytes) -> None:
        """Take more; UnexpectedOutput for what no terminal program of ours writes."""
        text = self._rest + self._decoder.decode(data)
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self._put(text[at])
                at += 1
            elif found := _SEQUENCE.match(text, at):
                self._obey(found)
                at = found.end()
            elif _BEGINNING.fullmatch(text, at):
                break
            else:
                raise UnexpectedOutput(repr(text[at : at + 40]))
        self._rest = text[at:]

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
        elif unicodedata.category(character) in _UNSEEN:
            raise UnexpectedOutput(repr(character))
        elif width := get_character_cell_size(character):
            self._write([character, *[""] * (width - 1)])

    def _write(self, cells: list[str]) -> None:
        """Put a character and the cells that it covers where the cursor is; none beyond the edges."""
        if self._row < len(self._cells):
            row = self._cells[self._row]
            row[self._column : self._column + len(cells)] = cells[: max(0, len(row) - self._column)]
        self._column += len(cells)

    def _obey(self, found: re.Match[str]) -> None:
        parameters, final, command = found["parameters"], found["final"], found["command"]
        if final not in _KNOWN_FINALS and command not in {_CLIPBOARD, _POINTER}:
            raise UnexpectedOutput(repr(found[0]))
        if final == "H":
            row, column = (int(number) for number in parameters.split(";"))
            self._row, self._column = row - 1, column - 1
        elif final == "h":
            self.modes.add(parameters)
        elif final == "l":
            self.modes.discard(parameters)
        elif final == "u":
            self.keyboard_levels += -1 if parameters.startswith("<") else 1
