"""Files named on the command line, read as documents; what is wrong with one is said, and the others go on."""

import sys
from collections.abc import Sequence

from editflow.commands.fix_options import STDIN, Options, UsageError
from editflow.document import MAX_BYTES, Document, check_line_lengths, shown, split_lines
from editflow.errors import EditFlowError
from editflow.patch import visible


def read_all(names: Sequence[str], options: Options) -> tuple[dict[str, Document], bool]:
    """Documents by name, less those that their repository leaves out, and whether any could not be read."""
    documents: dict[str, Document] = {}
    failed = False
    said: set[str] = set()
    for name in dict.fromkeys(names):
        try:
            document = _read(name, options.lines)
        except EditFlowError as error:
            complain(error)
            failed = True
            continue
        refusal = _refusal(document, options, said)
        if refusal is None:
            documents[name] = document
        else:
            say(f"{shown(document.path)}: skipped, {refusal}")
    return documents, failed


def _refusal(document: Document, options: Options, said: set[str]) -> str | None:
    """Why the repository leaves a document out; what is wrong with its configuration is `said` once."""
    configuration = options.configuration(document)
    for problem in configuration.problems:
        if problem not in said:
            say(problem)
            said.add(problem)
    return configuration.refusal(document.path, len(split_lines(document.text)))


def _read(name: str, lines: tuple[int, int] | None) -> Document:
    document = _read_stdin() if name == STDIN else Document.read(name)
    _check_lines(document, lines)
    return document


def _read_stdin() -> Document:
    return Document.from_bytes(sys.stdin.buffer.read(MAX_BYTES + 1))


def _check_lines(document: Document, asked: tuple[int, int] | None) -> None:
    check_line_lengths(document)
    last = max(1, len(split_lines(document.text)))
    if asked is not None and asked[1] > last:
        raise UsageError(f"{shown(document.path)}: --range {asked[0]}:{asked[1]} is outside lines 1:{last}")


def complain(error: EditFlowError) -> None:
    """Say what went wrong, on standard error."""
    say(str(error))


def say(text: str) -> None:
    """Print one line on standard error, safe for a terminal."""
    print(f"editflow: {visible(text)}", file=sys.stderr)
