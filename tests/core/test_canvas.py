"""Edits applied on the device against a plain loop over lists, and what a canvas knows of itself."""

import random
from dataclasses import astuple, dataclass, replace

import pytest
import torch

from editflow.canvas import BOS, FIRST_TEXT_ID, PAD, PLACEHOLDER, Canvas, Edits, Role, apply_edits

BATCHES = 1000
DTYPES = {"delete": torch.bool, "substitute": torch.int64, "insert": torch.int64, "insert_id": torch.int64}


@dataclass
class Token:
    """One token of the plain loop."""

    id: int
    role: int
    origin: int
    confidence: float
    gap_confidence: float


@dataclass
class TokenEdit:
    """What happens to one token and to the gap at its right."""

    delete: bool = False
    substitute: int = -1
    insert: int = 0
    insert_id: tuple[int, ...] = (PLACEHOLDER,) * 3  # the last serves all beyond
    probability: float = 1.0
    insert_probability: float = 1.0


def apply_plainly(row: list[Token], edits: list[TokenEdit]) -> list[Token]:
    out: list[Token] = []
    for token, edit in zip(row, edits, strict=True):
        if not edit.delete:
            out.append(replace(token, gap_confidence=1.0))
            if edit.substitute >= 0:
                out[-1].id, out[-1].role = edit.substitute, Role.EDITED
                out[-1].confidence *= edit.probability
        for n in range(edit.insert):
            out.append(Token(edit.insert_id[min(n, 2)], Role.EDITED, -1, edit.insert_probability, 1.0))
        gap = token.gap_confidence * (edit.probability if edit.delete else 1.0)
        out[-1].gap_confidence = min(out[-1].gap_confidence, gap)
    return out


def random_row(rng: random.Random) -> list[Token]:
    """Frozen tokens, editable ones that earlier passes may have written, frozen ones or none."""

    def token(origin: int, role: int) -> Token:
        edited = role == Role.EDITED
        identity = BOS if origin == 0 else rng.randrange(FIRST_TEXT_ID, 99)
        return Token(identity, role, origin, rng.random() if edited else 1.0, rng.choice([1.0, rng.random()]))

    head, body, tail = rng.randint(1, 3), rng.randint(0, 8), rng.randint(0, 2)
    roles = [0] * head + [int(rng.choice(list(Role)[1:])) for _ in range(body)] + [0] * tail
    return [token(i, role) for i, role in enumerate(roles)]


def random_edits(row: list[Token], rng: random.Random) -> list[TokenEdit]:
    """Edits that spare frozen tokens; insertions also left of the first editable token."""
    editable = [token.role != Role.CONTEXT for token in row]
    edits = []
    for here, following in zip(editable, [*editable[1:], False], strict=True):
        edit = TokenEdit(probability=rng.random(), insert_probability=rng.random())
        if here and rng.random() < 0.4:
            edit.delete = rng.random() < 0.5
            edit.substitute = -1 if edit.delete else rng.randrange(FIRST_TEXT_ID, 99)
        if (here or following) and rng.random() < 0.4:
            edit.insert = rng.randint(1, 4)
            edit.insert_id = rng.choice([(PLACEHOLDER,) * 3, (77, 78, 79)])
        edits.append(edit)
    return edits


def stack(rows: list[list[Token]]) -> Canvas:
    canvas = Canvas.from_rows([([t.id for t in row], [t.role for t in row]) for row in rows])
    for b, row in enumerate(rows):
        canvas.confidence[b, : len(row)] = torch.tensor([t.confidence for t in row])
        canvas.gap_confidence[b, : len(row)] = torch.tensor([t.gap_confidence for t in row])
        canvas.origin[b, : len(row)] = torch.tensor([t.origin for t in row])
    return canvas


def stack_edits(rows: list[list[TokenEdit]], width: int) -> Edits:
    """Tensors of the edits; the padding asks for edits too, which must have no effect."""
    junk = TokenEdit(
        delete=False, substitute=55, insert=3, insert_id=(66,) * 3, probability=0.1, insert_probability=0.1
    )
    padded = [row + [junk] * (width - len(row)) for row in rows]
    columns = {
        name: [[getattr(e, name) for e in row] for row in padded] for name in TokenEdit.__annotations__
    }
    return Edits(
        **{name: torch.tensor(c, dtype=DTYPES.get(name, torch.float32)) for name, c in columns.items()}
    )


def unstack(canvas: Canvas, b: int) -> list[Token]:
    names = ("ids", "role", "origin", "confidence", "gap_confidence")
    columns = [getattr(canvas, name)[b][canvas.live[b]].tolist() for name in names]
    return [Token(*values) for values in zip(*columns, strict=True)]


@pytest.mark.parametrize("block", range(4))
def test_edits_equal_a_plain_loop(block: int) -> None:
    for seed in range(block * BATCHES // 4, (block + 1) * BATCHES // 4):
        rng = random.Random(seed)
        rows = [random_row(rng) for _ in range(rng.randint(1, 4))]
        edits = [random_edits(row, rng) for row in rows]
        canvas = stack(rows)
        after = apply_edits(canvas, stack_edits(edits, canvas.ids.shape[1]), max_length=1000)
        for b, (row, row_edits) in enumerate(zip(rows, edits, strict=True)):
            expected = apply_plainly(row, row_edits)
            assert [astuple(t)[:3] for t in unstack(after, b)] == [astuple(t)[:3] for t in expected]
            floats = [value for t in unstack(after, b) for value in (t.confidence, t.gap_confidence)]
            assert floats == pytest.approx([v for t in expected for v in (t.confidence, t.gap_confidence)])


def test_padding_is_blank_after_edits() -> None:
    rng = random.Random(0)
    rows = [random_row(rng) for _ in range(16)]
    canvas = stack(rows)
    after = apply_edits(canvas, stack_edits([random_edits(r, rng) for r in rows], canvas.ids.shape[1]), 1000)
    dead = ~after.live
    assert dead.any()
    assert after.live.sum(1).max() == after.ids.shape[1]
    assert (after.ids[dead] == PAD).all()
    assert (after.origin[dead] == -1).all()
    assert (after.role[dead] == 0).all()
    assert (after.confidence[dead] == 1).all()
    assert (after.gap_confidence[dead] == 1).all()


def test_rows_beyond_the_largest_length_are_cut_at_the_right() -> None:
    canvas = Canvas.from_rows([([BOS, 20, 21, 22], [0, 1, 1, 1])])
    edits = stack_edits([[TokenEdit(), TokenEdit(insert=3), TokenEdit(), TokenEdit()]], 4)
    after = apply_edits(canvas, edits, max_length=6)
    assert after.ids.tolist() == [[BOS, 20, PLACEHOLDER, PLACEHOLDER, PLACEHOLDER, 21]]


def test_confidence_is_the_product_of_the_passes_and_a_deletion_leaves_its_own_in_the_gap() -> None:
    canvas = Canvas.from_rows([([BOS, 20, 21, 22], [0, 1, 1, 1])])
    opened = [
        TokenEdit(),
        TokenEdit(insert=1, insert_probability=0.5),
        TokenEdit(delete=True, probability=0.7),
    ]
    once = apply_edits(canvas, stack_edits([[*opened, TokenEdit()]], 4), 100)
    filled = [TokenEdit(), TokenEdit(), TokenEdit(substitute=30, probability=0.8), TokenEdit()]
    twice = apply_edits(once, stack_edits([filled], 4), 100)
    assert twice.ids.tolist() == [[BOS, 20, 30, 22]]
    assert twice.origin.tolist() == [[0, 1, -1, 3]]
    assert twice.confidence.tolist() == [pytest.approx([1, 1, 0.4, 1])]
    assert twice.gap_confidence.tolist() == [pytest.approx([1, 1, 0.7, 1])]


def test_changed_names_the_rows_with_edits() -> None:
    for edit in (TokenEdit(delete=True), TokenEdit(substitute=20), TokenEdit(insert=1)):
        assert stack_edits([[TokenEdit(), TokenEdit()], [edit, TokenEdit()]], 2).changed().tolist() == [
            False,
            True,
        ]


def test_frozen_tokens_and_editable_gaps() -> None:
    canvas = Canvas.from_rows([([BOS, 20, 21, 22, 23], [0, 0, 1, 3, 0]), ([BOS, 20, 21], [0, 1, 2])])
    assert canvas.frozen.long().tolist() == [[1, 1, 0, 0, 1], [1, 0, 0, 1, 1]]
    assert canvas.editable_gaps.long().tolist() == [[0, 1, 1, 1, 0], [1, 1, 1, 0, 0]]


def test_select_and_trim_keep_rows_whole() -> None:
    canvas = Canvas.from_rows([([BOS, 20, 21, 22], [0, 1, 1, 1]), ([BOS, 30], [0, 3])])
    for chosen in (torch.tensor([1]), torch.tensor([False, True])):
        row = canvas.select(chosen).trimmed()
        assert (row.ids.tolist(), row.role.tolist(), row.origin.tolist()) == ([[BOS, 30]], [[0, 3]], [[0, 1]])
        assert row.live.all()
    assert canvas.to(torch.device("cpu")).ids.equal(canvas.ids)


def test_settings_of_a_row_stay_with_it() -> None:
    canvas = Canvas.from_rows([([BOS, 20], [0, 1]), ([BOS, 30], [0, 1])])
    assert (canvas.strictness.tolist(), canvas.temperature.tolist()) == ([1, 1], [0, 0])
    canvas = replace(canvas, strictness=torch.tensor([0.5, 2.0]), temperature=torch.tensor([3.0, 4.0]))
    edits = stack_edits([[TokenEdit(), TokenEdit(insert=2)]] * 2, 2)
    row = apply_edits(canvas, edits, 100).select(torch.tensor([1])).trimmed()
    assert (row.strictness.tolist(), row.temperature.tolist()) == ([2], [4])
