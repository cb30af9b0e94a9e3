"""The text of a failing test, as a person would quote it: the assertion, and what was raised."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping

from editflow_trainer.evaluation.sandbox import TIMEOUT_S, run_program

_MOST_BYTES = 1 << 16  # of what a program prints; a traceback comes last
_FRAME = re.compile(r'File "[^"\n]*program\.py", line (\d+)')
_RAISED = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt|Iteration)\b.*$", re.MULTILINE)
_BARE = "AssertionError"
_ADDRESS = re.compile(r"(0x|\.\.\.)[0-9a-f]{6,}\b")  # differs from run to run


def printed_by(source: str, timeout_s: int = TIMEOUT_S, files: Mapping[str, str] | None = None) -> str:
    """The end of what a program prints when it runs under limits."""
    with tempfile.TemporaryFile() as output:
        run_program(source, timeout_s, files=files, output=output)
        size = output.seek(0, 2)
        output.seek(max(0, size - _MOST_BYTES))
        return output.read().decode("utf-8", "replace")


def failing_assertion(program: str, tests: str) -> str:
    """The line of `tests` in which they fail below `program`, and what is raised; "" where they do not."""
    source = f"{program}\n{tests}\n"
    printed = printed_by(source)
    first = program.count("\n") + 2  # 1-based line on which the tests begin
    lines = source.split("\n")
    places = [int(line) for line in _FRAME.findall(printed)]
    # `check(f)` at the bottom calls what holds the assertion, so the last frame among the tests is the one.
    asserted = [lines[line - 1].strip() for line in places if first <= line <= len(lines)][-1:]
    raised = [text for text in _RAISED.findall(printed)[-1:] if text != _BARE]
    return _ADDRESS.sub("...", "; ".join([*asserted, *raised]))


def failing_pytest(printed: str) -> str:
    """The first failing line that pytest marks with `>`, and the first of what it explains with `E`."""
    marked = re.findall(r"^> +(.*\S)", printed, re.MULTILINE)[:1]
    explained = re.findall(r"^E +(.*\S)", printed, re.MULTILINE)[:1]
    return _ADDRESS.sub("...", "; ".join([*marked, *explained]))
