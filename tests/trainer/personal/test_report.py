"""The page about a training: what it shows, that it is well formed, and that nothing in it can act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from editflow.request import Request
from editflow_trainer.personal.examples import (
    ALARMS,
    FORGOTTEN,
    HELD_BACK,
    LEARNED,
    LOST,
    MISLED,
    SHOWN,
    SILENT,
    WRONG,
    groups_of,
)
from editflow_trainer.personal.report import write_report
from editflow_trainer.personal.result import Result
from tests.trainer.evaluation.makers import KnownEngine
from tests.trainer.evaluation.test_page import Reader
from tests.trainer.personal.results import ADAPTER, ATTACK, DEFAULT, cases, gathered, result_of, workspace


def silent(request: Request) -> list[tuple[str, float]]:
    return []


def learned(request: Request) -> list[tuple[str, float]]:
    return [(request.document.text.replace("fetch(", "load("), 0.75)]


def page_of(folder: Path, result: Result) -> str:
    space = workspace(folder)
    write_report(result, gathered(), KnownEngine(silent), KnownEngine(learned), space)
    assert not list(folder.glob("*.partial"))
    return space.report.read_text("utf-8")


def test_the_page_shows_decision_numbers_curves_flows_and_what_was_mined(tmp_path: Path) -> None:
    html = page_of(tmp_path, result_of())
    text = Reader(html).texts
    for part in (
        f"{ADAPTER} is installed",
        "67% ",
        LEARNED,
        f"{DEFAULT} offers, no change",
        "offered, confidence 0.75",
        "fetch → load",
        "secret (credentials)",
        "wrong call",
        "1970-01-10",
    ):
        assert part in text[""]
    assert html.count("<polyline") == 4  # loss, its one term, rate, speed
    assert (
        text["del"].count("fetch") == text["ins"].count("load") == 9
    )  # pass, offer and right text, of three


def test_an_adapter_that_goes_elsewhere_is_not_said_to_be_installed(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    engines = KnownEngine(silent), KnownEngine(learned)
    write_report(result_of(), gathered(), *engines, space, output=Path("out"))
    text = Reader(space.report.read_text("utf-8")).texts[""]
    assert "written to out" in text
    assert "is installed" not in text


def test_nothing_in_the_page_can_act(tmp_path: Path) -> None:
    html = page_of(tmp_path, result_of())
    reader = Reader(html)
    assert "script" not in reader.tags
    assert "default-src 'none'" in html
    assert ATTACK.partition("&")[0] in reader.texts[""]  # a commit's message and a convention hold it
    assert not {"\u202e", "\x1b"} & set(html)


def test_a_training_without_a_log_or_conventions_has_a_page(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    (space.run / "log.jsonl").unlink()
    write_report(result_of("..."), gathered(), KnownEngine(silent), KnownEngine(silent), space)
    assert "the default is kept" in Reader(space.report.read_text("utf-8")).texts[""]


@pytest.mark.parametrize(
    ("after", "guesses", "titles"),
    [
        ("xx.", "xx.", {LEARNED: ["first", "second"], SILENT: ["third"]}),
        ("xo.", "xox", {LEARNED: ["first"], WRONG: ["second"], HELD_BACK: ["third"]}),
        ("...", "x..", {HELD_BACK: ["first"], SILENT: ["second", "third"]}),
    ],
)
def test_each_edit_is_in_the_group_that_tells_most(
    after: str, guesses: str, titles: dict[str, list[str]]
) -> None:
    groups = groups_of(result_of(after, guesses=guesses), cases())
    assert {
        group.title: [exhibit.name for exhibit in group.shown] for group in groups if group.count
    } == titles


def test_what_the_default_makes_or_repairs_is_lost_where_the_adapter_does_not() -> None:
    result = result_of()
    swapped = replace(result, before=result.after, after=replace(result.before, slips=()))
    swapped = replace(swapped, after=replace(swapped.after, slips=result_of("...").after.edits[:1]))
    counts = {group.title: group.count for group in groups_of(swapped, cases())}
    titles = (LOST, ALARMS, MISLED, FORGOTTEN, SILENT)
    assert [counts[title] for title in titles] == [2, 1, 1, 1, 1]


def test_no_group_shows_more_than_a_few() -> None:
    many = replace(cases(), edits=cases().edits * 4)
    learned = groups_of(result_of("xx." * 4, guesses="xxx" * 4), many)[0]
    assert (learned.count, len(learned.shown)) == (8, SHOWN)


def test_what_was_held_back_is_shown_with_nothing_held_back() -> None:
    groups = groups_of(result_of("...", guesses="x.."), cases())
    (held,) = [group for group in groups if group.title == HELD_BACK]
    assert [exhibit.request.threshold for exhibit in held.shown] == [0.0]
