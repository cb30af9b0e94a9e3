"""Attempts: what of the edits found is offered, when another round is worth it, and which candidate is best."""

from pathlib import Path

import pytest

from editflow.attempt import MAX_CHECKED, Attempt, attempts_of, candidates_after, ranked
from editflow.checkpoint import Calibration
from editflow.diagnostic import Diagnostic
from editflow.document import Document
from editflow.placed import PlacedWindow
from editflow.request import Decoder, Replacement, Request
from editflow.step import Step
from editflow.tokens import CodeTokenizer
from tests.core.wild import wild_engine

ANYTHING = Calibration(show=0.0)


def attempt_at(
    text: str, calibration: Calibration = ANYTHING, *, path: str = "a.py", **options: object
) -> Attempt:
    request = Request(Document.from_text(text, Path(path)), **options)  # type: ignore[arg-type]
    return attempts_of(request, calibration)[0]


def replace(
    attempt: Attempt, placed: PlacedWindow, *pairs: tuple[str, str], probability: float = 0.9
) -> None:
    """Find that each old text, which stands in the window once, is to be the new one."""
    own = placed.window.text
    edits = [(own.index(old), own.index(old) + len(old), new, probability) for old, new in pairs]
    attempt.update(placed, edits)


def window_of(attempt: Attempt, tokenizer: CodeTokenizer) -> PlacedWindow:
    """The only window."""
    (placed,) = attempt.windows(tokenizer)
    return placed


FUNCTION = "def f(first, second):\n    total = first + second\n    return total\n"


def test_the_latest_pass_replaces_the_one_before(code_tokenizer: CodeTokenizer) -> None:
    attempt = attempt_at(FUNCTION)
    placed = window_of(attempt, code_tokenizer)
    for operator in ("-", "*"):
        replace(attempt, placed, ("+", operator))
        assert attempt.proposal().text == FUNCTION.replace("+", operator)
    attempt.update(placed, [])
    assert attempt.proposal().hunks == ()


def test_windows_of_one_round_add_up(code_tokenizer: CodeTokenizer) -> None:
    attempt = attempt_at(FUNCTION + "\n" + FUNCTION)
    for placed in attempt.windows(code_tokenizer):
        replace(attempt, placed, ("+", "-"))
    assert attempt.proposal().text == (FUNCTION + "\n" + FUNCTION).replace("+", "-")
    assert attempt.finish_round() is False
    assert attempt.proposal().text == (FUNCTION + "\n" + FUNCTION).replace("+", "-")


@pytest.mark.parametrize(
    "pair", [("def", "dfe"), ("):", ")"), ("first + second", "frist + second"), ("total =", "totl =")]
)
def test_new_errors_are_not_offered(pair: tuple[str, str], code_tokenizer: CodeTokenizer) -> None:
    attempt = attempt_at(FUNCTION)
    placed = window_of(attempt, code_tokenizer)
    replace(attempt, placed, pair)
    assert len(attempt.proposal().hunks) == 1
    assert attempt.finish_round() is False
    assert attempt.proposal().hunks == ()
    replace(attempt, placed, pair, ("    return", "    return -"), probability=0.8)
    attempt.finish_round()
    assert attempt.proposal().text == FUNCTION.replace("return", "return -")


def test_edits_that_are_only_right_together_are_offered_together(code_tokenizer: CodeTokenizer) -> None:
    attempt = attempt_at(FUNCTION)
    replace(
        attempt,
        window_of(attempt, code_tokenizer),
        ("total =", "result ="),
        ("return total", "return result"),
    )
    attempt.finish_round()
    assert attempt.proposal().text == FUNCTION.replace("total", "result")


def test_one_undefined_name_is_not_traded_for_another(code_tokenizer: CodeTokenizer) -> None:
    text = FUNCTION.replace("+ second", "+ secnd")
    attempt = attempt_at(text)
    replace(attempt, window_of(attempt, code_tokenizer), ("secnd", "scond"))
    attempt.finish_round()
    assert attempt.proposal().hunks == ()
    replace(
        attempt,
        window_of(attempt_at(text), code_tokenizer),
        ("secnd", "second"),
        ("return total", "return totl"),
    )
    attempt.finish_round()
    assert attempt.proposal().text == FUNCTION


def test_the_surest_edits_are_checked_when_there_are_many(code_tokenizer: CodeTokenizer) -> None:
    count = MAX_CHECKED + 12
    text = "def f():\n" + "".join(f"    x = {n}\n" for n in range(100, 100 + count))
    attempt = attempt_at(text)
    for placed in attempt.windows(code_tokenizer):
        own = placed.window.text
        starts = [at for at in range(len(own)) if own.startswith("x = ", at)]
        sure = [(at + 4, at + 7, "1", own.count("\n", 0, at) / count) for at in starts]
        attempt.update(placed, [*sure, (0, 0, "(", 0.99)] if placed.start == 0 else sure)
    attempt.finish_round()
    assert "(" not in attempt.proposal().text.split("\n")[0].removeprefix("def f(")
    assert 0 < len(attempt.proposal().hunks) <= MAX_CHECKED


def test_a_text_that_does_not_parse_may_be_left_so(code_tokenizer: CodeTokenizer) -> None:
    text = FUNCTION.replace("):", ")") + "x = (\n"
    attempt = attempt_at(text)
    replace(attempt, attempt.windows(code_tokenizer)[0], ("second)", "second):"))
    assert attempt.finish_round() is True
    assert attempt.proposal().text == FUNCTION + "x = (\n"


def test_what_a_syntax_error_has_hidden_is_seen_in_the_next_round(code_tokenizer: CodeTokenizer) -> None:
    text = FUNCTION.replace("):", ")").replace("+ second", "+ secnd")
    attempt = attempt_at("def g():\n    pass\n\n" + text)
    _, f = attempt.windows(code_tokenizer)
    replace(attempt, f, ("second)", "second):"))
    assert attempt.finish_round() is True
    again = window_of(attempt, code_tokenizer)
    (noted,) = again.window.diagnostics
    assert again.window.text[noted.start : noted.end] == "secnd"
    replace(attempt, again, ("secnd", "second"), probability=0.7)
    assert attempt.finish_round() is False
    assert attempt.proposal().text == "def g():\n    pass\n\n" + FUNCTION
    hunks = attempt.proposal().hunks
    assert [hunk.new for hunk in hunks] == ["second):", "second"]
    assert [hunk.confidence for hunk in hunks] == pytest.approx([0.9, 0.7])


def test_an_error_like_the_repaired_one_on_another_line_asks_for_a_round(
    code_tokenizer: CodeTokenizer,
) -> None:
    attempt = attempt_at("def f()\n    pass\n\ndef g()\n    pass\n")
    f, g = attempt.windows(code_tokenizer)
    assert (len(f.window.diagnostics), len(g.window.diagnostics)) == (1, 0)
    replace(attempt, f, ("f()", "f():"))
    assert attempt.finish_round() is True
    again = window_of(attempt, code_tokenizer)
    assert again.window.text == g.window.text
    assert len(again.window.diagnostics) == 1


def test_a_later_round_keeps_what_an_earlier_one_settled(code_tokenizer: CodeTokenizer) -> None:
    text = FUNCTION.replace("):", ")").replace("+ second", "+ secnd")
    attempt = attempt_at(text)
    replace(attempt, window_of(attempt, code_tokenizer), ("second)", "second):"))
    attempt.finish_round()
    replace(attempt, window_of(attempt, code_tokenizer), ("second):", "second) -> Thing:"), probability=0.99)
    attempt.finish_round()
    assert attempt.proposal().text == text.replace("second)", "second):")


def test_no_round_follows_where_nothing_changed_or_nothing_is_left(code_tokenizer: CodeTokenizer) -> None:
    unchanged = attempt_at(FUNCTION.replace("+ second", "+ secnd"))
    assert unchanged.finish_round() is False
    repaired = attempt_at(FUNCTION.replace("+ second", "+ secnd"))
    replace(repaired, window_of(repaired, code_tokenizer), ("secnd", "second"))
    assert repaired.finish_round() is False
    partly = attempt_at(FUNCTION.replace("+ second", "+ secnd"))
    replace(partly, window_of(partly, code_tokenizer), ("return total", "return -total"))
    assert partly.finish_round() is True
    given = attempt_at(FUNCTION.replace("):", ")").replace("+ second", "+ secnd"), diagnostics=())
    replace(given, window_of(given, code_tokenizer), ("second)", "second):"))
    assert given.finish_round() is False


def test_other_languages_are_not_checked(code_tokenizer: CodeTokenizer) -> None:
    attempt = attempt_at("f(x\n", path="a.js")
    assert attempt.diagnostics == []
    replace(attempt, window_of(attempt, code_tokenizer), ("x", "y("))
    assert attempt.finish_round() is False
    assert attempt.proposal().text == "f(y(\n"


@pytest.mark.parametrize("path", ["a.py", "A.PY", "stub.pyi", "a.pyw"])
def test_python_is_known_by_its_suffix(path: str) -> None:
    assert len(attempt_at("f(\n", path=path).diagnostics) == 1


def test_without_a_path_a_text_is_python() -> None:
    attempt = Attempt(Request(Document.from_text("f(\n")), 0, ANYTHING)
    assert len(attempt.diagnostics) == 1


@pytest.mark.parametrize(
    ("threshold", "show", "offered"),
    [
        (None, 0.5, True),
        (None, 0.95, False),
        (0.9, 0.99, True),
        (0.91, 0.0, False),
        (1.0, 0.0, False),
        (0.0, 1.0, True),
    ],
)
def test_only_confident_edits_are_offered(
    threshold: float | None, show: float, offered: bool, code_tokenizer: CodeTokenizer
) -> None:
    attempt = attempt_at(FUNCTION, Calibration(show=show), threshold=threshold)
    replace(attempt, window_of(attempt, code_tokenizer), ("+", "-"), probability=0.9001)
    attempt.finish_round()
    assert bool(attempt.proposal().hunks) is offered


@pytest.mark.parametrize(("floor", "offered"), [(0.9, True), (0.91, False)])
@pytest.mark.parametrize("threshold", [None, 0.1])
def test_a_floor_raises_every_lower_threshold(
    threshold: float | None, floor: float, offered: bool, code_tokenizer: CodeTokenizer
) -> None:
    attempt = attempt_at(FUNCTION, ANYTHING, threshold=threshold, threshold_floor=floor)
    replace(attempt, window_of(attempt, code_tokenizer), ("+", "-"), probability=0.9001)
    attempt.finish_round()
    assert bool(attempt.proposal().hunks) is offered


def test_certainty_is_not_enough_for_a_threshold_of_one(code_tokenizer: CodeTokenizer) -> None:
    attempt = attempt_at(FUNCTION, Calibration(slope=50.0, intercept=50.0), threshold=1.0)
    replace(attempt, window_of(attempt, code_tokenizer), ("+", "-"), probability=1.0)
    attempt.finish_round()
    assert attempt.proposal().hunks == ()


def test_a_hunk_has_its_calibrated_confidence(code_tokenizer: CodeTokenizer) -> None:
    attempt = attempt_at(FUNCTION, Calibration(slope=0.5, show=0.0))
    replace(attempt, window_of(attempt, code_tokenizer), ("+", "-"), probability=0.8)
    assert attempt.proposal().hunks[0].confidence == pytest.approx(2 / 3)


class TestLines:
    def test_edits_outside_the_lines_are_not_made(self, code_tokenizer: CodeTokenizer) -> None:
        attempt = attempt_at(FUNCTION, lines=(2, 2))
        replace(
            attempt,
            window_of(attempt, code_tokenizer),
            ("second):", "third):"),
            ("+", "-"),
            ("return", "yield"),
        )
        assert attempt.proposal().text == FUNCTION.replace("+", "-")

    def test_the_lines_move_with_what_is_added_inside(self, code_tokenizer: CodeTokenizer) -> None:
        text = "def f(x)\n    y = x\n    return z\n"
        attempt = attempt_at(text, lines=(1, 2))
        replace(attempt, window_of(attempt, code_tokenizer), ("f(x)", "f(x):\n    a = 1"))
        assert attempt.finish_round() is True
        again = attempt.windows(code_tokenizer)
        assert [each.allowed for each in again] == [(0, len("def f(x):\n    a = 1\n    y = x\n"))]

    def test_the_lines_move_with_what_is_taken_away(self, code_tokenizer: CodeTokenizer) -> None:
        text = "def f(x)\n    a = 1\n    y = x\n    return z\n"
        attempt = attempt_at(text, lines=(1, 4))
        replace(attempt, window_of(attempt, code_tokenizer), ("f(x)\n    a = 1", "f(x):"))
        assert attempt.finish_round() is True
        (again,) = attempt.windows(code_tokenizer)
        assert (
            again.allowed == (0, len(again.window.text)) == (0, len("def f(x):\n    y = x\n    return z\n"))
        )


class TestSource:
    def test_line_ends_come_back(self, code_tokenizer: CodeTokenizer) -> None:
        attempt = attempt_at(FUNCTION.replace("\n", "\r\n"))
        placed = window_of(attempt, code_tokenizer)
        assert placed.window.text == FUNCTION
        replace(attempt, placed, ("total =", "x = 1\n    total ="))
        expected = FUNCTION.replace("total =", "x = 1\n    total =")
        assert attempt.proposal().text == expected.replace("\n", "\r\n")

    def test_given_diagnostics_are_moved_to_the_text_that_the_model_reads(
        self, code_tokenizer: CodeTokenizer
    ) -> None:
        source = FUNCTION.replace("\n", "\r\n")
        at = source.index("return")
        attempt = attempt_at(source, diagnostics=(Diagnostic(at, at + 6, "odd", "editor"),))
        placed = window_of(attempt, code_tokenizer)
        (noted,) = placed.window.diagnostics
        assert (placed.window.text[noted.start : noted.end], noted.source) == ("return", "editor")

    def test_what_others_report_counts_where_the_checker_is_silent(
        self, code_tokenizer: CodeTokenizer
    ) -> None:
        source = FUNCTION.replace("first +", "frist +").replace("\n", "\r\n")
        wrong, silent = source.index("frist"), source.index("return")
        reported = (
            Diagnostic(wrong, wrong + 5, '"frist" is not defined', "pyright"),
            Diagnostic(silent, silent + 6, "odd", "mypy"),
        )
        placed = window_of(attempt_at(source, reported=reported), code_tokenizer)
        sources = {placed.window.text[d.start : d.end]: d.source for d in placed.window.diagnostics}
        assert sources == {"frist": "pyflakes", "return": "mypy"}

    def test_characters_that_the_encoding_lacks_are_not_written(self, code_tokenizer: CodeTokenizer) -> None:
        document = Document.from_bytes(b"# coding: latin-1\ndef f():\n    return '\xe9'\n")
        attempt = Attempt(Request(document), 0, ANYTHING)
        replace(attempt, window_of(attempt, code_tokenizer), ("f()", "g()"), ("é", "→"))
        assert attempt.proposal().text == document.text.replace("f()", "g()")

    def test_a_last_line_without_a_newline_stays_so(self, code_tokenizer: CodeTokenizer) -> None:
        attempt = attempt_at(FUNCTION.rstrip("\n"))
        replace(attempt, window_of(attempt, code_tokenizer), ("return total\n", "return -total\n"))
        assert attempt.proposal().text == FUNCTION.rstrip("\n").replace("return ", "return -")


class TestCandidates:
    def test_the_first_is_the_careful_one(self) -> None:
        attempts = attempts_of(Request(Document.from_text(FUNCTION), candidates=8), Calibration(show=0.5))
        first, *others = [*attempts, *candidates_after(attempts)]
        assert [attempt.candidate for attempt in others] == list(range(1, 8))
        assert (first.threshold, first.strictness, first.temperature) == (0.5, 1.0, 0.0)
        assert all(0 <= other.threshold < 0.5 for other in others)
        assert all(0 < other.strictness <= 1 for other in others)
        assert any(other.temperature > 0 for other in others)

    def test_a_threshold_that_was_asked_for_holds_for_all(self) -> None:
        request = Request(Document.from_text(FUNCTION), candidates=3, threshold=0.8)
        assert {attempt.threshold for attempt in attempts_of(request, Calibration())} == {0.8}

    @pytest.mark.parametrize("candidates", [-1, 0, 1])
    def test_there_is_at_least_one(self, candidates: int) -> None:
        request = Request(Document.from_text(FUNCTION), candidates=candidates)
        assert len(attempts_of(request, ANYTHING)) == 1

    def test_the_one_with_fewest_errors_is_best_and_equal_ones_count_once(
        self, code_tokenizer: CodeTokenizer
    ) -> None:
        text = FUNCTION.replace("first + second", "frist + secnd").replace("):", ")")
        attempts = attempts_of(Request(Document.from_text(text)), ANYTHING)
        names = [("frist", "first"), ("secnd", "second")]
        colon = ("second)", "second):")
        for attempt, pairs in zip(attempts, ([], [colon], [colon, *names], [colon], [], []), strict=True):
            replace(attempt, window_of(attempt, code_tokenizer), *pairs)
            attempt.finish_round()
        assert [p.text for p in ranked(attempts)] == [FUNCTION, text.replace("second)", "second):"), text]

    def test_branches_run_where_there_are_diagnostics_and_offer_no_less_than_is_sure(self) -> None:
        broken = Request(Document.from_text(FUNCTION.replace("):", ")")), candidates=3)
        attempts = attempts_of(broken, Calibration(show=0.5))
        attempts += candidates_after(attempts)
        assert [(a.asked, a.branch, a.trusting) for a in attempts] == [
            (False, 0, False),
            *((False, branch, False) for branch in range(1, 5)),
            (False, 0, True),
            (True, 1, False),
            (True, 0, False),
        ]
        assert {a.threshold for a in attempts if not a.asked} == {0.5}
        assert not any(a.branch for a in attempts_of(Request(Document.from_text(FUNCTION)), ANYTHING))

    def test_a_candidate_asked_for_is_never_the_proposal(self, code_tokenizer: CodeTokenizer) -> None:
        text = FUNCTION.replace("first + second", "first + secnd")
        attempts = attempts_of(Request(Document.from_text(text), candidates=2), ANYTHING)
        (asked,) = candidates_after(attempts)
        replace(asked, window_of(asked, code_tokenizer), ("secnd", "second"))
        asked.finish_round()
        assert [p.text for p in ranked([*attempts, asked])] == [text, FUNCTION]


class TestTrusting:
    TEXT = FUNCTION.replace("first + second", "first + secnd")

    def test_takes_the_suggested_name_where_the_model_edits(self, code_tokenizer: CodeTokenizer) -> None:
        attempt = Attempt(Request(Document.from_text(self.TEXT)), 8, ANYTHING, trusting=True)
        replace(attempt, window_of(attempt, code_tokenizer), ("secnd", "f"), ("return ", "return -"))
        assert attempt.proposal().text == FUNCTION.replace("return ", "return -")

    def test_and_nowhere_else(self, code_tokenizer: CodeTokenizer) -> None:
        attempt = Attempt(Request(Document.from_text(self.TEXT)), 8, ANYTHING, trusting=True)
        replace(attempt, window_of(attempt, code_tokenizer), ("return ", "return -"))
        assert attempt.proposal().text == self.TEXT.replace("return ", "return -")

    def test_a_name_unlike_the_suggestion_ranks_behind(self, code_tokenizer: CodeTokenizer) -> None:
        first, *_, trusting = attempts_of(Request(Document.from_text(self.TEXT)), ANYTHING)
        for attempt in (first, trusting):
            replace(attempt, window_of(attempt, code_tokenizer), ("secnd", "first"))
            attempt.finish_round()
        assert ranked([first, trusting])[0].text == FUNCTION


class TestVerified:
    """A repair whose complaint would come back is raised by the calibration's evidence, other edits are not."""

    CALIBRATION = Calibration(show=0.0, verified=2.0, suggested=3.0)

    def test_another_name_than_the_suggested_one_is_lowered(self, code_tokenizer: CodeTokenizer) -> None:
        text = FUNCTION.replace("first + second", "first + secnd")
        raised, lowered = (Attempt(Request(Document.from_text(text)), 0, self.CALIBRATION) for _ in range(2))
        (before,) = confidences(raised, code_tokenizer, ("secnd", "second"))
        assert confidences(lowered, code_tokenizer, ("secnd", "first")) == [before]
        for attempt in (raised, lowered):
            attempt.finish_round()
        (up,), (down,) = ([h.confidence for h in a.proposal().hunks] for a in (raised, lowered))
        assert down < before < up

    def test_only_the_edit_that_silences_a_complaint_is_raised(self, code_tokenizer: CodeTokenizer) -> None:
        text = FUNCTION.replace("first + second", "first + secnd")
        attempt = Attempt(Request(Document.from_text(text)), 0, self.CALIBRATION)
        before = confidences(attempt, code_tokenizer, ("secnd", "second"), ("return ", "return -"))
        attempt.finish_round()
        after = [hunk.confidence for hunk in attempt.proposal().hunks]
        assert after[0] > before[0]
        assert after[1] == pytest.approx(before[1])

    def test_nothing_is_raised_where_the_text_stays_broken(self, code_tokenizer: CodeTokenizer) -> None:
        text = FUNCTION.replace("):", ")")
        attempt = Attempt(Request(Document.from_text(text)), 0, self.CALIBRATION)
        before = confidences(attempt, code_tokenizer, ("return ", "return -"))
        attempt.finish_round()
        assert [hunk.confidence for hunk in attempt.proposal().hunks] == pytest.approx(before)


def confidences(attempt: Attempt, tokenizer: CodeTokenizer, *pairs: tuple[str, str]) -> list[float]:
    """Confidences of these replacements before they are settled."""
    replace(attempt, window_of(attempt, tokenizer), *pairs)
    return [hunk.confidence for hunk in attempt.proposal().hunks]


def forbidding(text: str, old: str, new: str) -> tuple[Replacement, ...]:
    start = text.index(old)
    return ((start, start + len(old), new),)


def test_a_forbidden_edit_is_left_out_of_every_pass_and_the_others_are_made(
    code_tokenizer: CodeTokenizer,
) -> None:
    attempt = attempt_at(FUNCTION, forbidden=forbidding(FUNCTION, "+", "-"))
    placed = window_of(attempt, code_tokenizer)
    for operator in "-*-":
        replace(attempt, placed, ("+", operator), ("total\n", "total + 1\n"))
        made = FUNCTION.replace("return total", "return total + 1")
        assert attempt.proposal().text == (made if operator == "-" else made.replace("first +", "first *"))
    attempt.finish_round()
    assert attempt.proposal().text == FUNCTION.replace("return total", "return total + 1")


def test_a_forbidden_edit_is_not_made_by_several_attempts(code_tokenizer: CodeTokenizer) -> None:
    text = FUNCTION.replace("+ second", "+ secnd")
    request = Request(
        Document.from_text(text, Path("a.py")),
        candidates=3,
        forbidden=forbidding(text, "secnd", "second"),
    )
    attempts = attempts_of(request, ANYTHING)
    assert len(attempts) > 2
    for attempt in attempts:  # the last one takes the name that the checker suggests
        replace(attempt, window_of(attempt, code_tokenizer), ("ecnd", "econd"), ("first +", "first -"))
        attempt.finish_round()
    attempts += candidates_after(attempts)
    replace(attempts[-1], attempts[-1].windows(code_tokenizer)[0], ("secnd", "second"))
    offered = {proposal.text for proposal in ranked(attempts)}
    assert offered == {text.replace("first +", "first -")}


def test_a_forbidden_edit_is_not_made_in_a_later_round(code_tokenizer: CodeTokenizer) -> None:
    text = "def f(first, second)\n    total = first + secnd\n    return total\n"
    attempt = attempt_at(text, forbidden=forbidding(text, "secnd", "second"))
    replace(attempt, window_of(attempt, code_tokenizer), ("second)", "second):"))
    assert attempt.finish_round() is True
    replace(attempt, window_of(attempt, code_tokenizer), ("secnd", "second"), ("return", "return -"))
    attempt.finish_round()
    assert attempt.proposal().text == text.replace(")", "):").replace("return", "return -")


def test_what_is_left_of_an_edit_by_its_threshold_may_be_forbidden(code_tokenizer: CodeTokenizer) -> None:
    text = FUNCTION.replace("return total", "return (total)")
    attempt = attempt_at(
        text, Calibration(show=0.5), path="a.txt", forbidden=forbidding(text, "(total)", "total")
    )
    placed = window_of(attempt, code_tokenizer)
    at = text.index("(total)")
    edits = [(at, at + 1, "", 0.9), (at + 1, at + 6, "first", 0.1), (at + 6, at + 7, "", 0.9)]
    attempt.update(placed, edits)
    assert attempt.proposal().text == text.replace("(total)", "first")
    attempt.finish_round()
    assert attempt.proposal().hunks == ()


def test_a_forbidden_edit_of_a_text_with_carriage_returns(code_tokenizer: CodeTokenizer) -> None:
    text = FUNCTION.replace("\n", "\r\n")
    old, new = "total\r\n", "total\r\n    pass\r\n"
    attempt = attempt_at(text, forbidden=forbidding(text, old, new))
    replace(attempt, window_of(attempt, code_tokenizer), ("total\n", "total\n    pass\n"), ("+", "-"))
    assert attempt.proposal().text == text.replace("+", "-")


@pytest.mark.parametrize("options", [{}, {"candidates": 3}, {"decoder": Decoder.ctmc, "steps": 8}])
def test_an_engine_s_flow_goes_on_without_what_is_forbidden(
    tokenizer_file: Path, options: dict[str, object]
) -> None:
    engine = wild_engine(tokenizer_file)
    document = Document.from_text("One line of text,\nand more\n", Path("a.txt"))
    made = edits_in(list(engine.fix(Request(document, **options))))  # type: ignore[arg-type]
    assert len(made) > 1
    for each in sorted(made)[:2]:
        request = Request(document, forbidden=(each,), **options)  # type: ignore[arg-type]
        steps = list(engine.fix(request))
        assert len(steps) > 1
        assert each not in edits_in(steps)
        assert edits_in(steps) & made


def edits_in(steps: list[Step]) -> set[Replacement]:
    """Every hunk of every proposal."""
    proposals = [proposal for step in steps for proposal in (step.proposal, *step.alternatives)]
    return {(hunk.start, hunk.end, hunk.new) for proposal in proposals for hunk in proposal.hunks}
