"""The numbers in docs/edit_flow.md against brute force, and its pictures."""

from math import comb, log
from pathlib import Path

import pytest
import torch
from torch import Tensor

from docs import draw_process as page
from editflow.canvas import apply_edits
from editflow.process.base import AlignedBatch
from editflow.process.continuous import ContinuousEditFlow, FlowConfig
from editflow.process.edit_flow import EditFlow
from editflow.process.euler import Insertions
from editflow.process.grid import moves
from editflow.process.localized import LocalizedPath
from editflow.process.schedule import CUBIC, LINEAR, SCHEDULES

SIGMAS = 4.5
TEXT = page.OUT.with_suffix(".md").read_text(encoding="utf-8")


def assert_mean(samples: Tensor, expected: float) -> None:
    error = float(samples.double().std()) / len(samples) ** 0.5
    assert abs(float(samples.double().mean()) - expected) <= SIGMAS * error + 1e-6


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_pending_operation_has_the_rate_of_the_path(schedule: str) -> None:
    heads, process = page.KnownPair(page.EXAMPLE, page.FLIPS), ContinuousEditFlow(FlowConfig(schedule))
    for flip in page.FLIPS:
        z = torch.where(flip, page.EXAMPLE.z1, page.EXAMPLE.z0)
        canvas = page.source_of(AlignedBatch(z, page.EXAMPLE.z1, page.EXAMPLE.role))
        weight = float(process.schedule.weight(torch.tensor(0.3)))
        rates = process.jumps(heads, canvas, 0.3).rates
        every = torch.cat((rates.insert, rates.delete, rates.substitute)).exp()
        pending = int((page.EDIT & ~flip).sum())
        assert every[every > 0].tolist() == pytest.approx([weight] * pending, rel=1e-5)


@pytest.mark.parametrize(("schedule", "mean"), [("linear", 1 / 2), ("cubic", 3 / 4)])
def test_slots_flip_at_times_with_the_distribution_kappa(schedule: str, mean: float) -> None:
    times = page.flip_times(schedule, 16).flatten()
    assert_mean(times, mean)
    assert_mean(SCHEDULES[schedule].kappa(times), 1 / 2)


@pytest.mark.parametrize("steps", [4, 16])
def test_an_euler_pass_makes_the_edits_that_independent_slots_make(steps: int) -> None:
    """A slot flips in each pass with the same probability, 1 / N, whatever the others do."""
    passes = page.flip_passes(steps, 3000)
    alone = ((passes[:, :1] == passes).sum(1) == 1).double()
    assert_mean(alone, (1 - 1 / steps) ** 2)
    for slot in passes.T:
        assert_mean(slot, (1 + steps) / 2)


def left_by_steps(run: int, schedule: str, steps: int, insertions: Insertions) -> float:
    """Mean number of missing tokens at the end, from the distribution after every step."""
    chances = {run: 1.0}
    for move in moves(SCHEDULES[schedule], steps):
        base = min(1.0, move.length * float(SCHEDULES[schedule].weight(torch.tensor(move.time))))
        after: dict[int, float] = dict.fromkeys(range(run + 1), 0.0)
        for missing, chance in chances.items():
            one = min(1.0, base * missing)
            single = [1 - one, one]
            binomial = [comb(missing, n) * base**n * (1 - base) ** (missing - n) for n in range(missing + 1)]
            for n, p in enumerate(single if insertions is Insertions.single else binomial):
                after[max(0, missing - n)] += chance * p
        chances = after
    return sum(missing * chance for missing, chance in chances.items())


@pytest.mark.parametrize("insertions", [Insertions.single, Insertions.binomial])
@pytest.mark.parametrize(("schedule", "steps"), [("linear", 8), ("cubic", 8), ("cubic", 16)])
def test_a_run_ends_as_short_as_its_exact_distribution_says(
    schedule: str, steps: int, insertions: Insertions
) -> None:
    missing = page.still_missing(10, schedule, steps, insertions, 400)
    assert int(missing.min()) >= 0
    assert_mean(missing, left_by_steps(10, schedule, steps, insertions))


@pytest.mark.parametrize("t", [0.0, 0.5, 0.9])
def test_the_floor_of_the_loss_is_w_times_one_minus_log_w(t: float) -> None:
    w = 1 / (1 - t)
    assert page.expected_loss(t, 1.0) == pytest.approx((w * (1 - log(w)), 0), rel=1e-5, abs=1e-6)
    assert page.expected_loss(t, 0.5) == pytest.approx((w * (0.5 - log(w / 2)), log(2)), rel=1e-5)


def test_intervals_grow_as_the_localized_path_draws_them() -> None:
    slots = [("x", "is"), *[("x", "x")] * 5]
    batch = page.aligned([slots[0]] * page.LOCAL[0] + slots[1:] + [slots[0]] * page.LOCAL[1])
    rows, t, rate = 600, 0.6, 4.0
    many = AlignedBatch(*(x.expand(rows, -1) for x in (batch.z0, batch.z1, batch.role)))
    zt, _ = LocalizedPath(CUBIC, rate).draw(many, torch.full((rows,), t), page.seeded(1))
    drawn = (zt == batch.z1)[:, (batch.z0 != batch.z1)[0]].double().mean(0)
    covered = torch.stack([page.cover_times(CUBIC, rate, seed)[1] < t for seed in range(rows)])
    simulated = covered.double().mean(0)
    assert float(((drawn - simulated).abs() * (rows / (2 * 0.25)) ** 0.5).max()) < SIGMAS
    assert float(drawn.min()) > t**3 + 0.05


def test_intervals_that_grow_fast_cover_their_hunk_and_no_other() -> None:
    for seed in range(5):
        on, covered = page.cover_times(CUBIC, 1e9, seed)
        first = [float(part.min()) for part in torch.split(on, list(page.LOCAL))]
        for part, start in zip(torch.split(covered, list(page.LOCAL)), first, strict=True):
            assert part.tolist() == pytest.approx([start] * len(part), abs=1e-6)


def test_false_edits_grow_like_the_harmonic_number() -> None:
    for steps in (1, 4, 100):
        harmonic = sum(1 / n for n in range(1, steps + 1))
        assert page.growth(LINEAR, steps) == pytest.approx(harmonic, rel=1e-5)
        assert steps == 1 or 1 < page.growth(CUBIC, steps) < harmonic


def test_the_default_decoder_needs_one_pass_and_one_to_see_that_nothing_is_left() -> None:
    right = page.words(page.EXAMPLE.z1[0])
    assert page.few_passes() == [right, right]
    assert right in TEXT and page.words(page.EXAMPLE.z0[0]) in TEXT
    canvas = page.source_of(page.EXAMPLE)
    edits = EditFlow().step(page.KnownPair(page.EXAMPLE, page.FLIPS), canvas, 8)
    assert page.words(apply_edits(canvas, edits, page.LONGEST).ids[0]) == right


def test_the_page_shows_every_picture_and_no_other() -> None:
    files = {path.name for path in page.OUT.iterdir()}
    assert files == {f"{name}.svg" for name in page.PICTURES}
    assert all(f"](edit_flow/{name})" in TEXT for name in files)
    assert TEXT.count("](edit_flow/") == len(files)
    assert all(path.stat().st_size < 60_000 for path in page.OUT.iterdir())


def test_pictures_are_drawn_the_same_every_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = ("slots", "euler", "localized")
    for folder in (tmp_path / "once", tmp_path / "again"):
        folder.mkdir()
        page.draw(folder, names)
    for name in names:
        once, again = (tmp_path / folder / f"{name}.svg" for folder in ("once", "again"))
        assert once.read_bytes() == again.read_bytes()
        assert b"<svg" in once.read_bytes()
