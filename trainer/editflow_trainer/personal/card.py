"""The card of an adapter: what it was trained on, how it compares, and what it must not be used for."""

from __future__ import annotations

from editflow_trainer.evaluation.report import shown_rate
from editflow_trainer.personal.result import Result

CARD = """# {name}: an adapter of {base}

Trained on this machine by `editflow train` on the history of {name} up to {head}, with {taught} of its edits, {renames}
renames and {functions} functions of its own code. It holds what that code taught it, so treat it as you treat the code.

| held out | cases | {base} | with this adapter |
|---|---|---|---|
{rows}

95 % intervals in brackets. The edits are of the newest commits, of which nothing was trained on.
"""


def card(result: Result) -> str:
    """The text of MODEL_CARD.md."""
    material = result.material
    rows = "\n".join(f"| {' | '.join(row)} |" for row in comparison(result))
    return CARD.format(
        name=result.target.short,
        base=result.before.model,
        head=result.target.head[:10],
        taught=material.taught + material.accepted,
        renames=material.renames,
        functions=material.functions,
        rows=rows,
    )


def comparison(result: Result) -> list[tuple[str, str, str, str]]:
    """What is compared: its name, cases, and the shares of the base and of the adapter with their intervals."""
    before, after = result.before, result.after
    pairs = [
        ("edits of the newest commits, exact", before.exact, after.exact),
        ("the same, first guesses", before.guessed, after.guessed),
        ("right functions left alone", before.untouched, after.untouched),
        ("the same, asked for what was done elsewhere", before.unmoved, after.unmoved),
        ("slips repaired", before.repaired, after.repaired),
    ]
    return [(name, str(one.cases), shown_rate(one), shown_rate(other)) for name, one, other in pairs]
