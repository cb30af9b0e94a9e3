"""Draws the pictures of docs/edit_flow.md into docs/edit_flow/, and prints the numbers that the page quotes.

The process is the one in editflow.process, run on one aligned pair: `if x = ( None` and `if x is None :`. With one
pair what is pending at x_t is certain, so a lookup table takes the network's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from editflow.canvas import FIRST_TEXT_ID, Canvas, Role, apply_edits
from editflow.heads import Hidden
from editflow.process.base import BLANK, AlignedBatch
from editflow.process.continuous import ContinuousEditFlow, FlowConfig, Sampling, TimedState
from editflow.process.corruption import KEEP, draw_path, observe
from editflow.process.edit_flow import EditFlow
from editflow.process.euler import Insertions
from editflow.process.gillespie import gillespie
from editflow.process.grid import Move
from editflow.process.jumps import Jumps
from editflow.process.schedule import CUBIC, LINEAR, SCHEDULES, Polynomial
from editflow.sampler import Sampler

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUT = Path(__file__).resolve().parent / "edit_flow"
WORDS = ("if", "x", "=", "(", "None", "is", ":")
VOCABULARY = FIRST_TEXT_ID + len(WORDS)
SLOTS = (("if", "if"), ("x", "x"), ("=", "is"), ("(", ""), ("None", "None"), ("", ":"))
KINDS = ("substitute = by is", "delete (", "insert :")
LONGEST = 48  # tokens of a row, so that one that has too many still fits
LOCAL = (10, 6)  # edit slots in the two hunks of the localized picture
COUNTS = (4, 8, 16, 32, 64)
GREY, BLUE, ORANGE, GREEN = "#808080", "#3f86d6", "#d9822b", "#3aa35c"  # readable on white and on black
COLOURS = (BLUE, ORANGE, GREEN)
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "editflow",
    "svg.fonttype": "none",
    "savefig.transparent": True,
    "font.size": 9,
    "axes.titlesize": 9,
    "legend.frameon": False,
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), GREY),
}


def aligned(slots: Sequence[tuple[str, str]]) -> AlignedBatch:
    """One row of slots, a pair of words each; the empty word is the blank."""
    ids = [[FIRST_TEXT_ID + WORDS.index(word) if word else BLANK for word in slot] for slot in slots]
    z0, z1 = torch.tensor([ids]).unbind(-1)
    return AlignedBatch(z0, z1, torch.where(z0 == BLANK, 0, int(Role.ORIGINAL)))


def source_of(batch: AlignedBatch, rows: int = 1) -> Canvas:
    """x_0, `rows` times."""
    ids = batch.z0[0][batch.z0[0] != BLANK].tolist()
    return Canvas.from_rows([(ids, [int(Role.ORIGINAL)] * len(ids))] * rows)


def words(ids: Tensor) -> str:
    """A row of ids as text."""
    return " ".join(WORDS[i - FIRST_TEXT_ID] for i in ids.tolist() if i >= FIRST_TEXT_ID)


def all_flips(batch: AlignedBatch) -> Tensor:
    """[2^E, S] bool: every choice of the E edit slots that have flipped."""
    edit = (batch.z0 != batch.z1)[0]
    choices = torch.tensor(list(product((False, True), repeat=int(edit.sum()))))
    flips = torch.zeros((len(choices), len(edit)), dtype=torch.bool)
    flips[:, edit] = choices
    return flips


class KnownPair:
    """Heads that look x_t up: each pending operation with probability `certainty`, its token for certain.

    `flips` [N, S] are the states that can be met, each with an x_t of its own. Any other row counts as finished.
    """

    def __init__(self, batch: AlignedBatch, flips: Tensor, certainty: float = 1.0) -> None:
        self.reverse, self.flips = None, flips
        many = AlignedBatch(*(x.expand(len(flips), -1) for x in (batch.z0, batch.z1, batch.role)))
        state = observe(many, torch.where(flips, many.z1, many.z0))
        rows = [tuple(ids[live].tolist()) for ids, live in zip(state.ids, state.live, strict=True)]
        self.index = {row: n for n, row in enumerate(rows)}
        if len(self.index) < len(flips):
            raise ValueError("two states share an x_t: what is pending at it is not certain")
        wide = [F.pad(x, (0, LONGEST - x.shape[1])) for x in (state.operation, state.missing)]
        operation, self.missing = wide
        kept = F.one_hot(torch.full_like(operation, KEEP), 3)
        self.operation = certainty * F.one_hot(operation, 3) + (1 - certainty) * kept
        self.complete = torch.where(self.missing > 0, 1 - certainty, 1.0)
        empty, one = torch.zeros((*operation.shape, VOCABULARY)), torch.tensor(1.0)
        substitute = state.substitute_row, state.substitute_column, state.substitute_token
        insert = state.insert_row, state.insert_column, state.insert_token
        self.substitute, self.insert = empty.index_put(substitute, one), empty.index_put(insert, one)

    def found(self, ids: Tensor, live: Tensor) -> Tensor:
        """[B]: the state that each row is in."""
        sizes, last = live.sum(1).tolist(), len(self.index) - 1
        keys = (tuple(row[:size]) for row, size in zip(ids.tolist(), sizes, strict=True))
        return torch.tensor([self.index.get(key, last) for key in keys])

    def flipped(self, canvas: Canvas) -> Tensor:
        """[B, S] bool."""
        return self.flips[self.found(canvas.ids, canvas.live)]

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        return Hidden(self.found(ids, live), ids, live)

    def operations(self, hidden: Hidden) -> Tensor:
        return self.operation[hidden.states, : hidden.ids.shape[1]].log()

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        here = hidden.states, slice(hidden.ids.shape[1])
        count = F.one_hot(self.missing[here].clamp_min(1) - 1, max(1, int(self.missing.max())))
        return torch.logit(self.complete[here]), count.float().log()

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        return self.substitute[hidden.states[row], column].log()

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        return self.insert[hidden.states[row], column].log()

    def substitution_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return self.substitutions(hidden, row, column)[torch.arange(len(row)), token]

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return self.insertions(hidden, row, column)[torch.arange(len(row)), token]


EXAMPLE = aligned(SLOTS)
EDIT = (EXAMPLE.z0 != EXAMPLE.z1)[0]
FLIPS = all_flips(EXAMPLE)


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own for every number, so that none depends on what was drawn before."""
    return torch.Generator().manual_seed(seed)


def exact_run(process: ContinuousEditFlow, heads: KnownPair, generator: torch.Generator) -> Tensor:
    """[3]: when the edit slots of the example flip in one exact simulation."""
    times = torch.zeros(len(SLOTS))

    def jumps_at(canvas: Canvas, t: float) -> Jumps:
        times[~heads.flipped(canvas)[0]] = t
        return process.jumps(heads, canvas, t)

    gillespie(jumps_at, process.schedule, source_of(EXAMPLE), len(KINDS), generator)
    return times[EDIT]


def flip_times(schedule: str, runs: int) -> Tensor:
    """[runs, 3]: the same for many runs."""
    process, heads = ContinuousEditFlow(FlowConfig(schedule)), KnownPair(EXAMPLE, FLIPS)
    generator = seeded()
    return torch.stack([exact_run(process, heads, generator) for _ in range(runs)])


def stepped(process: ContinuousEditFlow, heads: KnownPair, canvas: Canvas) -> Iterator[tuple[Move, Canvas]]:
    """Every move with the canvas after it."""
    for left, move in zip(range(process.passes, 0, -1), process.moves, strict=True):
        canvas = apply_edits(canvas, process.step(heads, canvas, left), LONGEST)
        yield move, canvas


def flip_passes(steps: int, runs: int) -> Tensor:
    """[runs, 3]: the pass, from 1 on, in which each edit slot flips in Euler runs, linear kappa."""
    process, heads = ContinuousEditFlow(sampling=Sampling(steps)), KnownPair(EXAMPLE, FLIPS)
    passes = torch.ones(runs, int(EDIT.sum()))
    for _, canvas in stepped(process, heads, source_of(EXAMPLE, runs)):
        passes += ~heads.flipped(canvas)[:, EDIT]
    return passes


def still_missing(run: int, schedule: str, steps: int, insertions: Insertions, rows: int) -> Tensor:
    """[rows]: tokens of a gap that lacks `run` equal ones which are missing at the end; below 0 are too many."""
    batch = aligned([("x", "x"), *[("", "(")] * run])
    staircase = torch.arange(run + 1) <= torch.arange(run + 1)[:, None]
    heads = KnownPair(batch, staircase & (batch.z0 != batch.z1))
    process = ContinuousEditFlow(FlowConfig(schedule), Sampling(steps, insertions))
    *_, (_, canvas) = stepped(process, heads, source_of(batch, rows))
    return 1 + run - canvas.live.sum(1)


def cover_times(schedule: Polynomial, propagation: float, seed: int) -> tuple[Tensor, Tensor]:
    """[E] each: when the sources of LOCAL's hunks turn on, and when the slots are covered (at most 1 counts)."""
    size, generator = sum(LOCAL), seeded(seed)
    on = schedule.inverse(torch.rand(size, generator=generator, dtype=torch.float64))
    gaps = torch.empty(2, size, size, dtype=torch.float64).exponential_(generator=generator) / propagation
    reach, place = F.pad(gaps.cumsum(2), (1, 0)), torch.arange(size)
    distance = place - place[:, None]  # of a slot [column] from a source [row]
    left, right = (side.gather(1, distance.abs()) for side in reach)
    after = torch.where(distance < 0, left, right)
    hunk = place < LOCAL[0]
    covered = torch.where(hunk == hunk[:, None], on[:, None] + after, float("inf"))
    return on, covered.min(0).values


def growth(schedule: Polynomial, steps: int) -> float:
    """Sum of (kappa_{k+1} - kappa_k) / (1 - kappa_k) over equal steps: false edits by base probability."""
    kappa = schedule.kappa(torch.linspace(0, 1, steps + 1))
    return float((kappa.diff() / (1 - kappa[:-1])).sum())


def expected_loss(t: float, certainty: float) -> tuple[float, float]:
    """By pending slot at t, linear kappa, over every z_t of the example: the exact loss, and -log(lambda / w)."""
    process = ContinuousEditFlow(FlowConfig(max_weight=1e6))
    heads, time, total = KnownPair(EXAMPLE, FLIPS, certainty), torch.tensor([t]), torch.zeros(2)
    weight = process.schedule.weight(time).float().expand(1, len(SLOTS))
    for flip in FLIPS:
        state = observe(EXAMPLE, torch.where(flip, EXAMPLE.z1, EXAMPLE.z0))
        terms = process.loss(heads, TimedState(state, None, time, weight))
        arrived = int(flip.sum())
        chance = t**arrived * (1 - t) ** (len(KINDS) - arrived)
        total += chance * torch.stack((terms.total * terms.tokens, terms.log_rate))
    loss, nll = (total / (len(KINDS) * (1 - t))).tolist()
    return loss, nll


def few_passes() -> list[str]:
    """The text after every pass of the default decoder."""
    heads = KnownPair(EXAMPLE, FLIPS)
    return [words(step.rows[0].ids[0]) for step in Sampler(EditFlow(), heads).steps(source_of(EXAMPLE))]


def axes(figure: Figure, columns: int, **labels: str) -> list[Axes]:
    """Axes side by side, labelled alike."""
    row: list[Axes] = [figure.add_subplot(1, columns, n + 1) for n in range(columns)]
    for ax in row:
        ax.set(**labels)
    return row


def draw_slots(figure: Figure) -> None:
    """z0, z_t at two times with the same noise, z1."""
    (ax,) = axes(figure, 1)
    kappas = (0.25, 0.5)
    paths = [draw_path(EXAMPLE, torch.tensor([kappa]), seeded(16))[0] for kappa in kappas]
    rows = [("z0", EXAMPLE.z0[0]), *((f"z_t, \u03ba = {k}", z) for k, z in zip(kappas, paths, strict=True))]
    for y, (name, z) in enumerate([*rows, ("z1", EXAMPLE.z1[0])]):
        ax.text(-0.2, -y, name, ha="right", va="center")
        ax.text(len(SLOTS) + 0.1, -y, words(z), va="center", family="monospace")
        for s, token in enumerate(z.tolist()):
            new = bool(EDIT[s]) and token == int(EXAMPLE.z1[0, s])
            colour = (BLUE if new else ORANGE) if EDIT[s] else GREY
            ax.barh(-y, 0.92, 0.8, left=s + 0.04, color=colour, alpha=0.2)
            text = "\u03b5" if token == BLANK else WORDS[token - FIRST_TEXT_ID]
            ax.text(s + 0.5, -y, text, ha="center", va="center", family="monospace")
    ax.text(len(SLOTS) + 0.1, 1, "x_t = f_rm(z_t)", va="center")
    for s, kind in enumerate(("keep", "keep", "substitute", "delete", "keep", "insert")):
        ax.text(s + 0.5, 1, kind, ha="center", va="center", fontsize=7)
    ax.set(xlim=(-1.7, len(SLOTS) + 2.6), ylim=(-3.6, 1.5))
    ax.axis("off")


def draw_schedules(figure: Figure) -> None:
    """kappa, the rate towards z1, the rate back."""
    t = torch.linspace(0.02, 0.98, 49)
    kappa, forward, back = axes(figure, 3, xlabel="t")
    for (name, schedule), colour in zip(SCHEDULES.items(), COLOURS, strict=True):
        kappa.plot(t, schedule.kappa(t), color=colour, label=name)
        forward.plot(t, schedule.weight(t), color=colour)
        back.plot(t, schedule.reverse_weight(t), color=colour)
    kappa.set_title("\u03ba")
    forward.set(title="w = \u03ba' / (1 \u2212 \u03ba)", ylim=(0, 20))
    back.set(title="\u03ba' / \u03ba", ylim=(0, 20))
    kappa.legend()


def draw_loss(figure: Figure) -> None:
    """The loss of exact rates and of halved ones, against what tells them apart."""
    times = [n / 40 for n in range(39)]
    loss, nll = axes(figure, 2, xlabel="t")
    for certainty, name, colour in ((1.0, "exact rates", BLUE), (0.5, "half as large", ORANGE)):
        values = torch.tensor([expected_loss(t, certainty) for t in times])
        loss.plot(times, values[:, 0], color=colour, label=name)
        nll.plot(times, values[:, 1], color=colour)
    loss.axvline(1 - 1 / torch.e, color=GREY, linewidth=0.6, linestyle=":")
    loss.set_title("Bregman loss per pending slot")
    loss.legend(loc="lower left")
    nll.set(title="\u2212log(\u03bb / w) per pending slot, nats", ylim=(-0.1, 1))


def draw_gillespie(figure: Figure) -> None:
    """When slots flip in 20 exact runs."""
    for ax, schedule in zip(axes(figure, 2, xlabel="t", ylabel="run"), ("linear", "cubic"), strict=True):
        _raster(ax, flip_times(schedule, 20))
        ax.set_title(f"{schedule} \u03ba")
    _kinds(figure)


def draw_euler(figure: Figure) -> None:
    """The same by Euler steps."""
    for ax, steps in zip(axes(figure, 3, xlabel="t", ylabel="run"), (4, 16, 64), strict=True):
        _raster(ax, flip_passes(steps, 20) / steps)
        ax.set_title(f"N = {steps}")
    _kinds(figure)


def _raster(ax: Axes, times: Tensor) -> None:
    """Runs below each other, a mark for each slot, those of one run a hair apart."""
    runs = torch.arange(1, len(times) + 1)
    ax.hlines(runs, times.min(1).values, times.max(1).values, color=GREY, linewidth=0.4)
    for n, colour in enumerate(COLOURS):
        ax.plot(times[:, n], runs + 0.25 * (n - 1), "|", color=colour, markersize=5, markeredgewidth=2)
    ax.set(xlim=(0, 1.03), ylim=(0, len(times) + 1), yticks=[])


def _kinds(figure: Figure) -> None:
    """Which colour is which slot."""
    marks = figure.axes[0].lines[-len(KINDS) :]
    figure.legend(marks, KINDS, loc="outside upper center", ncols=len(KINDS))


def draw_insertions(figure: Figure) -> None:
    """Tokens of a run of 10 that are missing, or too many, after N passes."""
    rows = axes(figure, 2, xlabel="passes N", ylabel="tokens")
    for ax, schedule in zip(rows, ("linear", "cubic"), strict=True):
        for how, colour in zip(Insertions, COLOURS, strict=True):
            left = [still_missing(10, schedule, n, how, 200).float() for n in COUNTS]
            ax.plot(COUNTS, [float(m.clamp_min(0).mean()) for m in left], ".-", color=colour, label=how.value)
            if how is Insertions.poisson:
                many = [float((-m).clamp_min(0).mean()) for m in left]
                ax.plot(COUNTS, many, ".:", color=colour, label="poisson, too many")
        ax.set(title=f"{schedule} \u03ba", xscale="log", ylim=(-0.3, 8.5))
        ax.set_xticks(COUNTS, [str(n) for n in COUNTS])
        ax.minorticks_off()
    rows[0].legend()


def draw_localized(figure: Figure) -> None:
    """Slots of two hunks from when they flip on: without and with propagation."""
    panels = axes(figure, 2, xlabel="t", ylabel="edit slot")
    for ax, rate in zip(panels, (1e-9, 16.0), strict=True):
        on, covered = cover_times(CUBIC, rate, 3)
        slots = torch.arange(len(on)) + (torch.arange(len(on)) >= LOCAL[0])
        ax.barh(slots, 1 - covered, 0.9, left=covered, color=BLUE, alpha=0.35)
        first = on <= covered
        ax.plot(on[first], slots[first], "o", color=ORANGE, markersize=3)
        ax.set(title=f"\u03bb_prop = {round(rate)}", xlim=(0, 1), yticks=[])


def draw_spurious(figure: Figure) -> None:
    """What a base probability of a false edit is multiplied by."""
    (ax,) = axes(figure, 1, xlabel="passes N", ylabel="false edits / base probability")
    steps = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    for name, schedule, colour in (("linear", LINEAR, BLUE), ("cubic", CUBIC, ORANGE)):
        ax.plot(steps, [growth(schedule, n) for n in steps], "o-", color=colour, label=name)
    ax.set(xscale="log", ylim=(0, 8))
    ax.legend()


PICTURES = {
    "slots": (draw_slots, (6.6, 2.0)),
    "schedules": (draw_schedules, (7.2, 2.4)),
    "loss": (draw_loss, (6.6, 2.6)),
    "gillespie": (draw_gillespie, (7.2, 3.6)),
    "euler": (draw_euler, (7.2, 3.6)),
    "insertions": (draw_insertions, (7.2, 2.6)),
    "localized": (draw_localized, (7.2, 2.8)),
    "spurious": (draw_spurious, (4.6, 2.8)),
}


def draw(folder: Path, names: Iterable[str]) -> None:
    """Write the pictures of these names into a folder."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    for name in names:
        picture, size = PICTURES[name]
        with rc_context(STYLE):
            figure = Figure(figsize=size, layout="constrained")
            picture(figure)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})


def main() -> None:
    """Draw, and print what the default decoder does."""
    OUT.mkdir(exist_ok=True)
    draw(OUT, PICTURES)
    print(*few_passes(), sep="\n")


if __name__ == "__main__":
    main()
