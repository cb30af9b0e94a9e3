"""Every baseline answers one request as it answers many, and `fix` ends with what `fix_many` gives."""

from pathlib import Path

import pytest

from editflow.diagnostics import check_python
from editflow.document import Document
from editflow.request import Request
from editflow_trainer.causal.formats import FormatName
from editflow_trainer.evaluation.baselines import NOTES, load
from tests.core.wild import wild_checkpoint
from tests.trainer.causal.tiny import tiny_folder

TEXT = "def f(a):\n    b = a\n    return c\n"


@pytest.mark.parametrize(("baseline", "steps"), [("copy", 1), ("one-pass", 2), ("rewrite", 1), ("diff", 1)])
def test_the_last_step_of_fix_is_the_step_of_fix_many(
    baseline: str, steps: int, tokenizer_file: Path
) -> None:
    causal = tiny_folder(tokenizer_file, FormatName(baseline)) if baseline in list(FormatName) else None
    subject = load(baseline, str(wild_checkpoint(tokenizer_file)), causal, "cpu")
    request = Request(Document.from_text(TEXT), diagnostics=tuple(check_python(TEXT)))
    streamed = list(subject.fix(request))
    assert len(streamed) == steps
    assert streamed[-1] == subject.fix_many([request])[0]
    assert [step.done for step in streamed] == [False] * (steps - 1) + [True]
    assert NOTES[baseline].startswith(f"baseline {baseline}: ")
