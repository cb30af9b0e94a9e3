"""The page that shows how a run goes: loss curves, evaluations, and sample flows, in one HTML file without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from html import escape
from itertools import groupby
from pathlib import Path

from editflow.canvas import BOS, EDIT, EOS, PLACEHOLDER
from editflow.tokens import SPECIAL_TOKENS, CodeTokenizer
from editflow.window import AFTER
from editflow_trainer.training.curves import chart
from editflow_trainer.training.evaluation import Flow

SHOWN = 4
"""Flows of a stream that went wrong, and as many that did not."""
PENDING = "▒"  # a placeholder that a later pass fills
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
pre { background: #f6f6f4; padding: .6rem .8rem; overflow-x: auto; white-space: pre-wrap; font-size: 12.5px }
del { background: #ffd7d5; text-decoration: line-through } ins { background: #ccf2d0; text-decoration: none }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
.charts { display: flex; flex-wrap: wrap; gap: 1rem } .wrong { color: #b00020 } .exact { color: #1a7f37 }
summary { cursor: pointer; color: #666 } figcaption { font-size: 13px } text { font: 11px system-ui, sans-serif }
"""
Lines = Sequence[dict[str, float]]


def write_report(
    path: Path, title: str, log: Lines, evaluations: Lines, flows: Iterable[Flow], tokenizer: CodeTokenizer
) -> None:
    """Write the page, atomically."""
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{_now(log)}</p>",
        f"<div class=charts>{''.join(_charts(log, evaluations))}</div>",
        f"<h2>Evaluations of the averaged weights</h2>{_table(evaluations)}",
        "<h2>Sample flows</h2>",
        *_streams(flows, tokenizer),
    ]
    partial = path.with_suffix(".partial")
    partial.write_text("\n".join(parts), encoding="utf-8")
    partial.replace(path)


def _now(log: Lines) -> str:
    if not log:
        return "No line of the log yet."
    last = log[-1]
    return f"step {last['step']:.0f}, {last['elapsed'] / 60:.1f} minutes, {last['tokens_per_second']:.0f} tokens/s"


def _charts(log: Lines, evaluations: Lines) -> Iterable[str]:
    """Training terms, evaluated loss, exact shares, learning rate and gradient norm over steps."""
    beside = {"step", "norm", "rate", "progress", "tokens_per_second", "memory_mb", "elapsed"}
    terms = [name for name in (log[0] if log else {}) if name not in beside]
    yield chart(
        "training loss", {"training": _series(log, "loss")} | {"held back": _series(evaluations, "loss")}
    )
    yield chart("terms, nats an event", {name: _series(log, name) for name in terms if name != "loss"})
    exact = [name for name in (evaluations[-1] if evaluations else {}) if name.startswith("exact_")]
    yield chart("exact rows", {name.removeprefix("exact_"): _series(evaluations, name) for name in exact})
    yield chart("learning rate, share of the peak", {"rate": _series(log, "rate")})
    yield chart("gradient norm", {"norm": _series(log, "norm")})
    yield chart("tokens a second", {"tokens/s": _series(log, "tokens_per_second")})


def _series(lines: Lines, name: str) -> list[tuple[float, float]]:
    return [(line["step"], line[name]) for line in lines if name in line]


def _table(lines: Lines) -> str:
    if not lines:
        return "<p>None yet.</p>"
    names = list(lines[-1])
    rows = ["".join(f"<td>{line.get(name, '')}</td>" for name in names) for line in lines]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _streams(flows: Iterable[Flow], tokenizer: CodeTokenizer) -> Iterable[str]:
    for stream, group in groupby(flows, lambda flow: flow.stream):
        members = list(group)
        right = sum(flow.exact for flow in members)
        yield f"<h3>{escape(stream)}: {right} of {len(members)} exact</h3>"
        for verdict in (False, True):
            for flow in [flow for flow in members if flow.exact is verdict][:SHOWN]:
                yield show_flow(flow, tokenizer)


def show_flow(flow: Flow, tokenizer: CodeTokenizer) -> str:
    """A flow as HTML: context folded away, then source, every pass that changes something, and target."""
    context, source = _parts(flow.source)
    verdict = "exact" if flow.exact else "wrong"
    blocks = [f"<p class={verdict}>{verdict}</p>"]
    blocks.append(
        f"<details><summary>context</summary><pre>{escape(_text(context, tokenizer))}</pre></details>"
    )
    blocks.append(f"<p>source to target</p><pre>{marked(source, _parts(flow.target)[1], tokenizer)}</pre>")
    before = source
    for index, ids in enumerate(flow.passes, 1):
        after = _parts(ids)[1]
        if after != before:
            blocks.append(f"<p>pass {index}</p><pre>{marked(before, after, tokenizer)}</pre>")
        before = after
    if before == source and not flow.exact:
        blocks.append("<p>no pass changes anything</p>")
    return "\n".join(blocks)


def marked(before: list[int], after: list[int], tokenizer: CodeTokenizer) -> str:
    """The text of `after` with what left `before` in <del> and what came in <ins>."""
    out = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, come = escape(_text(before[a:b], tokenizer)), escape(_text(after[c:d], tokenizer))
        out.append(come if tag == "equal" else (f"<del>{gone}</del>" if gone else ""))
        out.append(f"<ins>{come}</ins>" if tag != "equal" and come else "")
    return "".join(out)


def _parts(ids: list[int]) -> tuple[list[int], list[int]]:
    """Context and editable region of a row."""
    start = ids.index(EDIT) + 1 if EDIT in ids else 0
    end = next((i for i in range(start, len(ids)) if ids[i] in (AFTER, EOS)), len(ids))
    return ids[:start] + ids[end:], ids[start:end]


def _text(ids: list[int], tokenizer: CodeTokenizer) -> str:
    """Text of ids, special tokens by name on a line of their own; halves of a character are replaced."""
    out = b""
    for token in ids:
        if token == PLACEHOLDER:
            out += PENDING.encode()
        elif token < len(SPECIAL_TOKENS):
            out += b"" if token in (BOS, EOS) else f"\n{SPECIAL_TOKENS[token]} ".encode()
        else:
            out += tokenizer.token_bytes(token)
    return out.decode("utf-8", errors="replace")
