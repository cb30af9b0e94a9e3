"""From aligned rows and windows to sequences: the same parts, and a loss on answers alone."""

import torch

from editflow.canvas import BOS, EOS, PAD, Role
from editflow.diagnostic import Diagnostic
from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow.tokens import CodeTokenizer
from editflow.window import AFTER, EDIT, FILE, Window, encode_window
from editflow_trainer.causal.formats import MARK, FormatName, make_format
from editflow_trainer.causal.model import answer_loss
from editflow_trainer.causal.parts import Parts, read_pairs
from editflow_trainer.causal.sequences import Sequences, make_sequences, pad
from tests.trainer.causal.tiny import tiny_model

# fmt: off
Z0 = [BOS, FILE, 20, EDIT, 30, BLANK, 31, 32, AFTER, 40, EOS, IGNORE]
Z1 = [BOS, FILE, 20, EDIT, 30, 33, BLANK, 34, AFTER, 40, EOS, IGNORE]
ROLE = [0, 0, 0, 0, Role.ORIGINAL, 0, Role.MARKED, Role.MARKED, 0, 0, 0, 0]
# fmt: on
PARTS = Parts([BOS, FILE, 20, EDIT], [30, 31, 32], [False, True, True], [AFTER, 40, EOS])
BATCH = AlignedBatch(torch.tensor([Z0, Z0]), torch.tensor([Z1, Z0]), torch.tensor([ROLE, ROLE]))


def test_rows_are_read_without_blanks_and_padding() -> None:
    assert list(read_pairs(BATCH)) == [(PARTS, [30, 33, 34]), (PARTS, [30, 31, 32])]


def test_an_empty_region_is_empty() -> None:
    batch = AlignedBatch(
        torch.tensor([[EDIT, BLANK, EOS]]), torch.tensor([[EDIT, 30, EOS]]), torch.zeros(1, 3)
    )
    assert list(read_pairs(batch)) == [(Parts([EDIT], [], [], [EOS]), [30])]


def test_a_window_gives_the_parts_that_its_row_gives(code_tokenizer: CodeTokenizer) -> None:
    text = "def f(a):\n    return b\n"
    complaint = Diagnostic(text.index("b\n"), text.index("b\n") + 1, "undefined name 'b'", "pyflakes")
    window = encode_window(Window(text, (complaint,), file="a.py", after="x = 1\n"), code_tokenizer)
    ids, roles = torch.tensor([window.ids]), torch.tensor([window.roles])
    [(parts, target)] = read_pairs(AlignedBatch(ids, ids, roles))
    assert parts == Parts.of_window(window)
    assert target == parts.editable == code_tokenizer.encode(text).ids
    assert sum(parts.marked) == 1


def test_a_sequence_is_prompt_answer_and_end(code_tokenizer: CodeTokenizer) -> None:
    found = make_sequences(BATCH, make_format(FormatName.rewrite, code_tokenizer))
    prompt = [BOS, FILE, 20, EDIT, 30, MARK, 31, 32, MARK, AFTER, 40, EOS]
    assert found.ids.tolist() == [[*prompt, 30, 33, 34, EOS], [*prompt, 30, 31, 32, EOS]]
    assert found.answer.tolist() == [[False] * len(prompt) + [True] * 4] * 2


def test_an_unchanged_row_is_an_empty_diff(code_tokenizer: CodeTokenizer) -> None:
    found = make_sequences(BATCH, make_format(FormatName.diff, code_tokenizer))
    assert found.answer.sum(1).tolist()[1] == 1
    assert found.ids[1][found.answer[1]].tolist() == [EOS]


def naive_loss(model: torch.nn.Module, prompt: list[int], answer: list[int]) -> list[torch.Tensor]:
    logs = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
    return [-logs[len(prompt) + i - 1, token] for i, token in enumerate(answer)]


def test_loss_is_the_mean_over_answer_tokens_of_rows_alone() -> None:
    model, rows = tiny_model(), [([BOS, 20, 21], [30, EOS]), ([BOS, 22], [31, 32, 33, EOS])]
    expected = torch.stack([loss for row in rows for loss in naive_loss(model, *row)]).mean()
    torch.testing.assert_close(answer_loss(model, pad(rows)), expected)


def test_prompt_tokens_are_no_targets_and_padding_is_not_seen() -> None:
    model, rows = tiny_model(), pad([([BOS, 20, 21], [30, EOS]), ([BOS, 22], [31, EOS])])
    loss = answer_loss(model, rows)
    padded = rows.ids.masked_fill(rows.ids == PAD, 77)
    torch.testing.assert_close(answer_loss(model, Sequences(padded, rows.answer)), loss)
    head = model.get_submodule("lm_head")
    seen: list[int] = []
    head.register_forward_pre_hook(lambda module, given: seen.append(given[0].shape[0]))
    answer_loss(model, rows)
    assert seen == [int(rows.answer.sum())]
