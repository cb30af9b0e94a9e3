"""Evaluation and its page: exact rows are counted, flows are readable, and nothing of a text becomes markup."""

import re
from html import unescape
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editflow.backbone import Backbone
from editflow.canvas import BOS, EDIT, EOS, PLACEHOLDER
from editflow.tokens import CodeTokenizer
from editflow_trainer.training.curves import MOST_POINTS, chart, thinned
from editflow_trainer.training.evaluation import Evaluator, Flow, exact_shares
from editflow_trainer.training.report import marked, show_flow, write_report
from tests.trainer.training.runs import CONFIG, SHAPE


@pytest.fixture(scope="module")
def network() -> Backbone:
    """One that was never trained: it proposes nothing."""
    torch.manual_seed(0)
    return Backbone(SHAPE).eval().requires_grad_(False)


def test_a_network_that_does_nothing_leaves_clean_rows_alone(shards: Path, network: Backbone) -> None:
    flows = list(Evaluator(shards, CONFIG).flows(network))
    assert {flow.stream for flow in flows} == {"fix", "edit", "clean"}
    assert all(flow.passes[-1] == flow.source for flow in flows)
    shares = exact_shares(flows)
    assert shares["exact_clean"] == 1
    assert shares["exact_fix"] == shares["exact_edit"] == 0


def test_evaluated_losses_are_the_same_every_time(shards: Path, network: Backbone) -> None:
    evaluator = Evaluator(shards, CONFIG)
    losses = evaluator.losses(network)
    assert losses == evaluator.losses(network)
    assert {"loss", "operation", "substitute"} <= losses.keys()
    with torch.no_grad():
        network.norm.weight.mul_(3)
        changed = evaluator.losses(network)
        network.norm.weight.div_(3)
    assert changed["loss"] != losses["loss"]


def row(text: str, tokenizer: CodeTokenizer) -> list[int]:
    return [BOS, *tokenizer.encode("a.py").ids, EDIT, *tokenizer.encode(text).ids, EOS]


def test_a_flow_shows_source_passes_and_target(code_tokenizer: CodeTokenizer) -> None:
    before, after = row("x = a < 1\n", code_tokenizer), row("x = a > 1\n", code_tokenizer)
    masked = [PLACEHOLDER if old != new else old for old, new in zip(before, after, strict=True)]
    right = show_flow(Flow("fix", before, [masked, after, after], after), code_tokenizer)
    assert "exact" in right and "pass 2" in right and "pass 3" not in right
    assert "<del>" in right and "&lt;" in right and "▒" in right and "a.py" in right
    wrong = show_flow(Flow("fix", before, [before], after), code_tokenizer)
    assert "wrong" in wrong and "no pass changes anything" in wrong


@given(data=st.data())
def test_marks_hold_both_texts(data: st.DataObject, code_tokenizer: CodeTokenizer) -> None:
    before, after = (data.draw(st.text('ab<>&"', max_size=12)) for _ in range(2))
    html = marked(code_tokenizer.encode(before).ids, code_tokenizer.encode(after).ids, code_tokenizer)
    assert unescape(re.sub("<del>.*?</del>|</?ins>", "", html)) == after
    assert unescape(re.sub("<ins>.*?</ins>|</?del>", "", html)) == before


def test_the_page_is_whole_and_needs_nothing_else(code_tokenizer: CodeTokenizer, tmp_path: Path) -> None:
    log = [
        {"step": s, "loss": 1 / s, "norm": 1.0, "rate": 1.0, "tokens_per_second": 9.0, "elapsed": s}
        for s in (1, 2, 3)
    ]
    source = row("<script>alert(1)</script>", code_tokenizer)
    write_report(
        tmp_path / "r.html", "a <run>", log, [{"step": 3, "loss": 0.5, "exact_fix": 1.0}],
        [Flow("fix", source, [source], source)], code_tokenizer,
    )  # fmt: skip
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.count("<polyline") == 6
    assert "a &lt;run&gt;" in page and "<script" not in page and "http" not in page
    assert "1 of 1 exact" in page


@pytest.mark.parametrize("count", [1, MOST_POINTS, MOST_POINTS + 1, 10 * MOST_POINTS])
def test_thinned_curves_keep_their_mean(count: int) -> None:
    points = [(float(i), float(i % 7)) for i in range(count)]
    kept = thinned(points)
    assert len(kept) <= MOST_POINTS
    assert min(x for x, _ in points) <= kept[0][0] <= kept[-1][0] <= max(x for x, _ in points)


def test_a_chart_without_points_is_none() -> None:
    assert chart("loss", {"training": []}) == ""
