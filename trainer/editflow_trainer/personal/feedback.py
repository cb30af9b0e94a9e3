"""What people accepted and rejected in their editors, as lessons: an accepted proposal is an edit, a rejected one none.

Only outcomes of files in the repository count. A text whose hunks were all rejected, and of which nothing complains,
was right as it stood, so it is shown as right code; where something complains, a rejection says nothing about it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from editflow.adapters.identity import working_tree_of
from editflow.diagnostics import check_python
from editflow.outcomes import Outcome, read_outcomes
from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.mining.filters import edit_reason
from editflow_trainer.mining.reasons import Reason
from editflow_trainer.personal.options import Options, Target
from editflow_trainer.personal.split import Split
from editflow_trainer.sources import STAR, SourceFunction


@dataclass(frozen=True, slots=True)
class Feedback:
    """Edits that people accepted, and code that they wanted left alone."""

    edits: tuple[MinedEdit, ...] = ()
    right: tuple[SourceFunction, ...] = ()


def feedback_of(outcomes: Iterable[Outcome | None], target: Target, unseen: Collection[str] = ()) -> Feedback:
    """The decisions about Python files of a repository; what holds one of the `unseen` texts, which judge, is left out.

    Lines that are no outcomes, and edits that mining would drop (credentials, layout alone), are left out too; and of
    right code what is edited by another decision.
    """
    edits: list[MinedEdit] = []
    right: dict[str, SourceFunction] = {}
    for outcome in outcomes:
        path = None if outcome is None else _inside(outcome, target)
        if outcome is None or path is None:
            continue
        decided = [hunk.accepted for hunk in outcome.hunks]
        after = _after(outcome)
        if after is None or any(text in side for text in unseen for side in (outcome.text, after)):
            continue
        if any(decided):
            edit = _edit(outcome, after, path, target)
            edits += [edit] if edit_reason(edit) in (None, Reason.docstring_only) else []
        elif decided and all(one is False for one in decided) and not _complaints(outcome.text):
            right[outcome.text] = SourceFunction(
                target.name, path, _name(outcome.text), outcome.text, "", "", (STAR,)
            )
    for edit in edits:
        right.pop(edit.before, None)
    return Feedback(tuple(edits), tuple(right.values()))


def _inside(outcome: Outcome, target: Target) -> str | None:
    """The file's path from the top of the working tree; None for another repository's, even of one within."""
    path = None if outcome.path is None else Path(outcome.path).resolve()
    if path is None or path.suffix not in (".py", ".pyi") or working_tree_of(path) != target.folder:
        return None
    return path.relative_to(target.folder).as_posix()


def _after(outcome: Outcome) -> str | None:
    """The text after the hunks that were accepted; None where hunks overlap."""
    pieces, at = [], 0
    for hunk in sorted(outcome.hunks, key=lambda hunk: (hunk.start, hunk.end)):
        if hunk.start < at:
            return None
        pieces += [
            outcome.text[at : hunk.start],
            hunk.new if hunk.accepted else outcome.text[hunk.start : hunk.end],
        ]
        at = hunk.end
    return "".join([*pieces, outcome.text[at:]])


def _edit(outcome: Outcome, after: str, path: str, target: Target) -> MinedEdit:
    return MinedEdit(
        before=outcome.text,
        after=after,
        repository=target.name,
        commit="",
        date=outcome.time,
        path=path,
        language="python",
        level=Level.function,
        scope=_name(outcome.text),
        line=1,
        message=outcome.instruction,
    )


def _complaints(text: str) -> bool:
    """Whether a parser complains; names cannot be judged without their file."""
    head = "class _:\n" if text.startswith((" ", "\t")) else ""
    return any(diagnostic.source == "python" for diagnostic in check_python(head + text))


def _name(text: str) -> str:
    """What a text defines first, "" where it is nothing."""
    words = text.split()
    at = next((i for i, word in enumerate(words[:-1]) if word in ("def", "class")), None)
    return "" if at is None else words[at + 1].partition("(")[0].rstrip(":")


def feedback_for(target: Target, options: Options, split: Split) -> Feedback:
    """The recorded outcomes that may be trained on: none whose text holds a side of a held-out or tuning edit."""
    if not options.outcomes:
        return Feedback()
    unseen = {side for edit in (*split.held_out, *split.tuning) for side in (edit.before, edit.after)}
    return feedback_of(read_outcomes(), target, unseen)
