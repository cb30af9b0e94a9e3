"""Duplicates, near duplicates, and evaluation data that is kept out."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.mining.dedup import Fingerprint, Seen, signature
from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.mining.exclusion import Exclusion
from editflow_trainer.mining.reasons import Reason

BODY = "".join(f"    value_{i} = compute_{i}(alpha, {i})\n" for i in range(40))
BEFORE = f"def f(alpha):\n{BODY}    return value_1\n"
EDIT = MinedEdit(
    BEFORE,
    BEFORE.replace("(alpha, 7)", "(beta, 7)"),
    "o/n",
    "1",
    0,
    "a.py",
    "python",
    Level.function,
    "f",
    1,
    "m",
)


def reasons(*edits: MinedEdit) -> list[Reason | None]:
    seen = Seen()
    return [seen.reason(Fingerprint.of(edit)) for edit in edits]


def test_the_same_text_is_met_once_whatever_its_spaces_and_repository() -> None:
    spaced = replace(EDIT, before=EDIT.before.replace(", ", ",  "), after=EDIT.after.replace(", ", ",  "))
    assert reasons(EDIT, replace(spaced, repository="p/m")) == [None, Reason.duplicate]


def test_the_same_change_of_a_function_that_differs_elsewhere_is_a_near_duplicate() -> None:
    other = replace(EDIT, before=EDIT.before.replace("30", "31"), after=EDIT.after.replace("30", "31"))
    assert reasons(EDIT, other) == [None, Reason.near_duplicate]


def test_another_change_of_the_same_function_is_no_duplicate() -> None:
    other = replace(EDIT, after=BEFORE.replace("(alpha, 30)", "(beta, 30)"))
    undone = replace(EDIT, before=EDIT.after, after=EDIT.before)
    assert reasons(EDIT, other) == [None, None]
    assert Fingerprint.of(EDIT).digest != Fingerprint.of(undone).digest


def test_planted_near_duplicates_are_found_and_strangers_are_not() -> None:
    rng = random.Random(0)
    originals, copies = [], []
    for _ in range(60):
        words = [f"w{rng.randrange(5000)}" for _ in range(120)]
        text = " ".join(words)
        originals.append(replace(EDIT, before="", after=text + "\n"))
        copies.append(replace(EDIT, before="", after=text.replace(words[60], "changed", 1) + "\n"))
    found = reasons(*originals, *copies)
    assert found[:60] == [None] * 60
    # One of 120 words changes at most 5 of 116 shingles: similarity 0.91, found with probability 0.9997.
    assert found[60:].count(Reason.near_duplicate) >= 58


def test_similarity_is_estimated_within_its_error() -> None:
    shared = [f"s{i}" for i in range(204)]  # 200 shingles in common
    left, right = (" ".join([*shared, *(f"{side}{i}" for i in range(50))]) for side in "lr")
    # Each side has 250 shingles, so the similarity is 200 / 300; the error's deviation is 0.042.
    assert abs(signature(left).jaccard(signature(right)) - 2 / 3) < 4.5 * 0.042


SOLUTION = '''\
def median(numbers):
    """Return the middle one."""
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
'''


def write_rows(folder: Path) -> Path:
    rows = [{"id": "1", "nested": {"tests": [SOLUTION]}}, {"before": None, "after": "x"}]
    folder.mkdir()
    (folder / "suite.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        (SOLUTION, True),
        (SOLUTION.replace("median", "middle_of").replace("Return", "Give"), True),
        (f"class A:\n{SOLUTION}".replace("\n", "\n    ").rstrip(" "), True),
        (SOLUTION.replace("sorted(numbers)", "sorted(numbers)  # ascending"), True),
        (BEFORE, False),
        ("x\n", False),
    ],
)
def test_evaluation_data_is_found_on_either_side(tmp_path: Path, text: str, covered: bool) -> None:
    exclusion = Exclusion([write_rows(tmp_path / "suite")])
    assert len(exclusion) == 1
    assert exclusion.covers(replace(EDIT, before=text)) is covered
    assert exclusion.covers(replace(EDIT, after=text)) is covered
    assert not Exclusion().covers(replace(EDIT, before=text))


def test_the_fingerprint_is_that_of_the_texts(tmp_path: Path) -> None:
    one, same = (Exclusion([write_rows(tmp_path / name)]).fingerprint for name in "ab")
    assert one == same != Exclusion().fingerprint


def test_data_that_cannot_be_excluded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match=r"no \*\.jsonl"):
        Exclusion([tmp_path])
    (tmp_path / "bad.jsonl").write_text("{}\n{\n", "utf-8")
    with pytest.raises(EditFlowError, match=r"bad\.jsonl:2"):
        Exclusion([tmp_path])
