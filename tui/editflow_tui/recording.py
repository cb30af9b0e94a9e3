"""What a person decided about the model's hunks, recorded for `editflow train` where their `tui.toml` asks for it.

Accepted hunks are recorded when they are written, rejected ones at the end; what is the person's own, or a patch's, is
not. As in an editor, a line of the record is about one function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.functions import enclosing_function
from editflow.outcomes import HunkOutcome, Outcome, record
from editflow.proposal import Hunk, HunkState
from editflow_tui.file_review import FileReview
from editflow_tui.following import key_of


def keep(files: Iterable[FileReview], state: HunkState, instruction: str) -> None:
    """Record the model's hunks that were decided so; EditFlowError where that cannot be written."""
    try:
        for file in files:
            for outcome in _outcomes(file, state, instruction):
                record(outcome)
    except OSError as error:
        raise EditFlowError(f"what you decided could not be recorded: {error.strerror}") from error


def _outcomes(file: FileReview, state: HunkState, instruction: str) -> Iterator[Outcome]:
    """One for each function with such hunks."""
    document, accepted = file.document, state is HunkState.ACCEPTED
    places: dict[tuple[int, int], list[HunkOutcome]] = defaultdict(list)
    for hunk in file.hunks:
        if hunk.state is state and key_of(hunk) in file.offered:
            low, high = _place(hunk, document)
            moved = HunkOutcome(hunk.start - low, hunk.end - low, hunk.new, hunk.confidence, accepted)
            places[low, high].append(moved)
    path = None if document.path is None else str(document.path.absolute())
    for (low, high), hunks in places.items():
        yield Outcome(path, file.model, instruction, document.text[low:high], tuple(hunks))


def _place(hunk: Hunk, document: Document) -> tuple[int, int]:
    """The lines of a hunk and of the function around it, in characters."""
    first, last = document.line_of(hunk.start) + 1, document.line_of(max(hunk.start, hunk.end - 1)) + 1
    if around := enclosing_function(document.text, first, last):
        first, last = min(first, around[0]), max(last, around[1])
    ends = (*document.line_starts[1:], len(document.text))
    return document.line_starts[first - 1], ends[min(last, len(ends)) - 1]
