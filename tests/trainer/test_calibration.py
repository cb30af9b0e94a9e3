"""Calibration: planted maps and thresholds are found again, and a replayed run is the run itself."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from editflow.checkpoint import Calibration
from editflow.confidence import Operation, calibrated, platt_map, raised
from editflow.process.edit_flow import Thresholds
from editflow_trainer.calibration import Outcome, Sample, Settled, calibrate, samples
from editflow_trainer.calibration.diagram import WIDTH, diagram, table
from editflow_trainer.calibration.judgement import JudgedHunk
from editflow_trainer.calibration.platt import fit
from editflow_trainer.calibration.reliability import ALL, BINS, LEAST, Reliability, by_operation
from editflow_trainer.calibration.replay import Replay
from editflow_trainer.calibration.thresholds import GRID, search
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.sources import functions_in
from tests.core.wild import wild_checkpoint, wild_engine

SUBSTITUTE = Operation.substitute
SOURCE = "".join(
    f"def {name}(first, second):\n    total = first {operator} second\n    return total\n\n\n"
    for name, operator in zip(("plus", "minus", "times", "over"), "+-*/", strict=True)
)


@pytest.fixture(scope="module")
def chosen() -> list[Sample]:
    """Two clean functions and two with a bug, of few lines and fixed in one round, for the network is wild."""
    found = functions_in(SOURCE, package="small", path="small.py")
    drawn = samples(list(found), 2, seed=3)
    return [replace(sample, request=replace(sample.request, rounds=1)) for sample in drawn]


class TestFit:
    def test_without_hunks_nothing_is_changed(self) -> None:
        assert fit([]) == Calibration()

    def test_data_that_separate_do_not_make_it_run_away(self) -> None:
        hunks = [
            JudgedHunk(p, SUBSTITUTE, p > 0.5, 0, p > 0.5) for p in (0.1, 0.2, 0.9, 0.99) for _ in range(100)
        ]
        fitted = fit(hunks)
        assert 0 < fitted.slope < 20
        assert hunks[-1].confidence(fitted) > 0.9 > 0.1 > hunks[0].confidence(fitted)

    def test_evidence_stays_bounded_where_probabilities_say_nothing(self) -> None:
        """Seen on some 15 edits: the surer, the wronger, but for what the checker verifies."""
        hunks = [JudgedHunk(0.99, SUBSTITUTE, False, -1, False, True) for _ in range(12)]
        hunks += [JudgedHunk(0.01, SUBSTITUTE, True, 1, True) for _ in range(6)]
        fitted = fit(hunks)
        for weight in (fitted.verified, fitted.suggested, fitted.instructed):
            assert 0 <= fitted.slope * weight < 20
        assert hunks[-1].confidence(fitted) > 0.5 > hunks[0].confidence(fitted)

    @pytest.mark.parametrize("suggested", [-1, 0, 1])
    def test_confidences_are_frequencies(self, suggested: int) -> None:
        """Rightness drawn with log odds of the raw probability plus two for each suggestion followed."""
        rng = random.Random(0)
        hunks = []
        for _ in range(6000):
            p, follows = rng.uniform(0.1, 0.9), rng.choice((-1, 0, 1))
            right = rng.random() < raised(p, 2.0 * follows)
            hunks.append(JudgedHunk(p, SUBSTITUTE, False, follows, right))
        fitted = fit(hunks)
        for p in (0.2, 0.5, 0.8):
            hunk = JudgedHunk(p, SUBSTITUTE, False, suggested, True)
            assert hunk.confidence(fitted) == pytest.approx(raised(p, 2.0 * suggested), abs=0.05)

    @pytest.mark.parametrize("instructed", [False, True])
    def test_what_is_asked_for_in_words_is_as_sure_as_it_is_right(self, instructed: bool) -> None:
        rng, hunks = random.Random(2), []
        for _ in range(6000):
            p, told = rng.uniform(0.1, 0.9), rng.random() < 0.5
            right = rng.random() < raised(p, 1.5 * told)
            hunks.append(JudgedHunk(p, SUBSTITUTE, False, 0, right, told))
        fitted = fit(hunks)
        for p in (0.2, 0.5, 0.8):
            hunk = JudgedHunk(p, SUBSTITUTE, False, 0, True, instructed)
            assert hunk.confidence(fitted) == pytest.approx(raised(p, 1.5 * instructed), abs=0.05)

    def test_the_map_of_each_operation_is_found_again(self) -> None:
        planted = Calibration(slope=0.8, delete_intercept=-1.0, insert_slope=0.4, insert_intercept=1.0)
        rng, hunks = random.Random(1), []
        for _ in range(9000):
            p, operation = rng.uniform(0.05, 0.95), rng.choice(list(Operation))
            right = rng.random() < calibrated(p, planted, operation)
            hunks.append(JudgedHunk(p, operation, False, 0, right))
        fitted = fit(hunks)
        for operation in Operation:
            for p in (0.2, 0.5, 0.8):
                expected = calibrated(p, planted, operation)
                assert calibrated(p, fitted, operation) == pytest.approx(expected, abs=0.05)

    def test_an_operation_that_is_never_seen_has_the_shared_map(self) -> None:
        rng = random.Random(2)
        hunks = [
            JudgedHunk(p, operation, False, 0, rng.random() < p / 2)
            for operation in (Operation.delete, SUBSTITUTE)
            for p in [rng.random() for _ in range(300)]
        ]
        fitted = fit(hunks)
        assert platt_map(fitted, Operation.insert) == (fitted.slope, fitted.intercept)
        assert platt_map(fitted, Operation.delete) != (fitted.slope, fitted.intercept)


class TestSearch:
    @pytest.mark.parametrize("best", [(0.2, 0.5, 0.8), (0.6, 0.4, 0.5), (0.5, 0.5, 0.5)])
    def test_a_planted_optimum_is_found(self, best: tuple[float, float, float]) -> None:
        asked: list[Thresholds] = []

        def score(at: Thresholds) -> tuple[float, float]:
            asked.append(at)
            values = (at.delete, at.substitute, at.insert)
            return 1.0, -sum(abs(value - wanted) for value, wanted in zip(values, best, strict=True))

        assert search(score, Thresholds()) == Thresholds(*best)
        assert len(asked) == len(set(asked)) <= 3 * len(GRID)

    def test_what_breaks_the_limit_is_never_chosen(self) -> None:
        """More is repaired the lower the threshold, but below 0.4 too many clean functions are touched."""
        found = search(lambda at: (float(at.substitute >= 0.4), -at.substitute), Thresholds())
        assert (found.substitute, found.delete, found.insert) == (0.4, 0.5, 0.5)

    def test_a_tie_changes_nothing(self) -> None:
        assert search(lambda at: (1.0,), Thresholds(0.31, 0.5, 0.5)) == Thresholds(0.31, 0.5, 0.5)


class TestReplay:
    def test_a_run_that_is_used_again_is_what_a_fresh_one_gives(
        self, chosen: list[Sample], tokenizer_file: Path
    ) -> None:
        replay, asked = Replay(wild_engine(tokenizer_file), chosen), 0
        for delete, substitute, insert in ((0.5, 0.5, 0.5), (0.4999, 0.5, 0.5), (0.5, 0.3, 0.9)):
            thresholds = Thresholds(delete, substitute, insert)
            fresh = Replay(wild_engine(tokenizer_file), chosen).at(thresholds)
            assert [each.proposal for each in replay.at(thresholds)] == [each.proposal for each in fresh]
            asked += len(chosen)
        assert len(chosen) < replay.made < asked

    def test_no_hook_is_left_on_the_network(self, chosen: list[Sample], tokenizer_file: Path) -> None:
        engine = wild_engine(tokenizer_file)
        Replay(engine, chosen[:2]).at(Thresholds())
        modules = (engine.backbone, engine.backbone.operation_head, engine.backbone.gap_head)
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules)


class TestReliability:
    def test_known_numbers(self) -> None:
        """Two groups of twenty: said 0.2 and right 5 times, said 0.9 and right 19 times."""
        outcomes = [Outcome(SUBSTITUTE, 0.2, i < 5) for i in range(LEAST)]
        outcomes += [Outcome(Operation.insert, 0.9, i < 19) for i in range(LEAST)]
        found = Reliability.of(outcomes)
        assert [b.confidence for b in found.bins] == pytest.approx([0.2, 0.9])
        assert [b.right for b in found.bins] == [Rate(5, 20), Rate(19, 20)]
        assert found.ece == pytest.approx((0.05 + 0.05) / 2)
        assert found.brier == pytest.approx((5 * 0.64 + 15 * 0.04 + 19 * 0.01 + 0.81) / 40)
        assert found.right == Rate(24, 40)

    def test_bins_have_equal_mass_and_rising_confidence(self) -> None:
        rng = random.Random(0)
        drawn = [(rng.random() ** 3, rng.random()) for _ in range(1003)]
        found = Reliability.of(Outcome(SUBSTITUTE, p, u < p) for p, u in drawn)
        sizes = [b.right.cases for b in found.bins]
        assert len(sizes) == BINS and sum(sizes) == 1003 and max(sizes) - min(sizes) <= 1
        said = [b.confidence for b in found.bins]
        assert said == sorted(said)
        assert found.ece < 0.05

    def test_few_outcomes_share_one_bin_and_none_are_an_error(self) -> None:
        assert len(Reliability.of([Outcome(SUBSTITUTE, 0.5, True)]).bins) == 1
        with pytest.raises(ValueError, match="no outcomes"):
            Reliability.of([])

    def test_only_operations_that_occur_have_a_diagram(self) -> None:
        assert by_operation([]) == {}
        assert set(by_operation([Outcome(SUBSTITUTE, 0.5, True)])) == {ALL, "substitute"}

    def test_the_diagram_shows_what_was_said_and_what_was_right(self) -> None:
        found = Reliability.of(Outcome(SUBSTITUTE, 0.25, i % 2 == 0) for i in range(30))
        heading, line = diagram("substitute", found).splitlines()
        start = heading.index("0.")
        axis = line[start : start + WIDTH]
        assert heading.startswith("substitute") and line.startswith("said 0.25") and line.endswith(" 30")
        assert (axis.index("|"), axis.index("o")) == (10, 20)
        assert (axis.index("-"), axis.rindex("-")) == (13, 27)  # of Wilson's 0.33 to 0.67
        assert (
            table({"all": found}).splitlines()[-1] == "| all | 30 | 50.0 % (33.2 to 66.8) | 0.250 | 0.312 |"
        )


def test_samples_are_clean_and_buggy_and_all_different(chosen: list[Sample]) -> None:
    assert [sample.clean for sample in chosen] == [True, True, False, False]
    for sample in chosen:
        assert (sample.request.document.text == sample.expected) is sample.clean


def test_a_checkpoint_is_settled_on_one_half_and_measured_on_the_other(
    chosen: list[Sample], tokenizer_file: Path
) -> None:
    engine = type(wild_engine(tokenizer_file)).load(str(wild_checkpoint(tokenizer_file)), "cpu")
    settled = calibrate(engine, chosen)
    assert isinstance(settled, Settled)
    assert (settled.fitted, settled.exact.cases, settled.touched.cases) == (2, 1, 1)
    assert (engine.thresholds, engine.calibration) == (settled.thresholds, settled.calibration)
    assert {settled.thresholds.delete, settled.thresholds.substitute, settled.thresholds.insert} <= set(GRID)
    assert settled.calibration.show >= 0.5
    assert all(0 < outcome.confidence < 1 for outcome in settled.outcomes)
