"""From a mined edit to an example: its own two sides, its message as the instruction."""

from __future__ import annotations

import random
from pathlib import Path

from rapidfuzz.distance import Indel

from editflow.alignment import align
from editflow.diagnostic import Diagnostic, suggestion
from editflow.diagnostics import check_python
from editflow.document import split_lines
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS, INSTRUCTION, Window, encode_window
from editflow_trainer.data.cutting import cut
from editflow_trainer.data.example import Example, Source
from editflow_trainer.data.windows import editable, ids_of, make_complaints, make_context, parts
from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.mining.message import says_fix

MOST_LINES = 10
"""Changed lines of the side that has more of them."""


def mined_example(
    edit: MinedEdit, tokenizer: CodeTokenizer, seed: int, most: int = EDITABLE_TOKENS
) -> Example | None:
    """An example of a Python function's small edit, None for any other and where the change is too long.

    `most`: editable tokens; of a longer function a part of this size is taken that holds the change.
    """
    changed = changed_lines(edit)
    if changed is None:
        return None
    old, new = changed
    rng = random.Random(f"{seed}:{edit.commit}:{edit.path}:{edit.before}")
    part = cut(edit.before, tokenizer, most, rng, old)
    if part is None:
        return None
    after = split_lines(edit.after)
    target = "".join(after[part.first : new[1] + part.last - old[1]])
    window = Window(
        part.text,
        file=Path(edit.path).name,
        instruction=edit.message,
        scope=scope_lines(edit.scope),
        before=part.before,
        after=part.after,
    )
    tokens = encode_window(window, tokenizer)
    source, wanted = editable(tokens), tokenizer.encode(target).ids
    if len(wanted) > EDITABLE_TOKENS or source == wanted:
        return None
    z0, z1 = map(ids_of, align(source, wanted, tokenizer.line_ends))
    subject = edit.message.partition("\n")[0]
    found = [d for d in complaints(edit.before, edit.after) if d.end > len(part.before)]
    return Example(
        Source.FIX if says_fix(subject) else Source.EDIT,
        z0,
        z1,
        make_context(window, tokenizer),
        ids_of(parts(tokens).get(INSTRUCTION, [])),
        make_complaints(window, _moved(found, -len(part.before)), tokenizer),
    )


def changed_lines(edit: MinedEdit) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The lines [first, last) of both sides that hold all changes; None where they are too many, or no function's."""
    if edit.language != "python" or edit.level != Level.function:
        return None
    old, new = split_lines(edit.before), split_lines(edit.after)
    blocks = [op for op in Indel.opcodes(old, new) if op.tag != "equal"]
    sizes = (
        sum(op.src_end - op.src_start for op in blocks),
        sum(op.dest_end - op.dest_start for op in blocks),
    )
    if not blocks or max(sizes) > MOST_LINES:
        return None
    first, last = blocks[0], blocks[-1]
    return (first.src_start, last.src_end), (first.dest_start, last.dest_end)


def scope_lines(scope: str) -> str:
    """The class statements that a qualified name tells of; their bases are not known."""
    *owners, _ = scope.split(".")
    return "".join(f"{'    ' * depth}class {owner}:\n" for depth, owner in enumerate(owners))


def complaints(before: str, after: str) -> list[Diagnostic]:
    """What a checker says of the old text alone that its file cannot have refuted.

    The file's names are not known, so an undefined name counts only where the offered one took its place.
    """
    indented = before.startswith((" ", "\t"))
    head = "class _:\n" if indented else ""
    remaining = {d.message for d in check_python(head + after)}
    found = [
        d
        for d in check_python(head + before)
        if d.message not in remaining and (d.source == "python" or _certain(d, before, after))
    ]
    return _moved(found, -len(head))


def _certain(diagnostic: Diagnostic, before: str, after: str) -> bool:
    offered = suggestion(diagnostic.message)
    return offered is not None and after.count(offered) > before.count(offered)


def _moved(diagnostics: list[Diagnostic], by: int) -> list[Diagnostic]:
    return [Diagnostic(d.start + by, d.end + by, d.message, d.source) for d in diagnostics]
