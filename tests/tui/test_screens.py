"""What is asked or shown on top of a review: help, questions, search, editing here and in a person's own editor."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widget import Widget
from textual.widgets import Button, Input, Label, TextArea

from editflow.proposal import HunkState, Proposal
from editflow.resident.status import EngineStatus, StatusKind
from editflow.step import Step
from editflow_tui import outside
from editflow_tui.actions import Move, Verdict
from editflow_tui.commands import COMMANDS
from editflow_tui.flow_bar import flow_row
from editflow_tui.header import NARROW, engine_words, header_row
from editflow_tui.keymap import resolve
from editflow_tui.outside import EditorError, edit_text, open_at
from editflow_tui.playback import Playback
from editflow_tui.review import reduce
from editflow_tui.runner import Stepped
from editflow_tui.screens.edit import Edit
from editflow_tui.screens.help import Help, help_lines
from editflow_tui.screens.review import ReviewScreen
from editflow_tui.screens.search import SearchRow
from tests.tui.reviewing import NEW, Desk, running, slips


def editor(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(path))


class TestHelp:
    def test_every_command_is_listed_with_its_own_keys(self) -> None:
        lines = [str(line) for line in help_lines(resolve({"accept": "ctrl+y"}))]
        assert any("ctrl+y" in line and "accept the hunk" in line for line in lines)
        assert all(any(command.words in line for line in lines) for command in COMMANDS)

    @pytest.mark.asyncio
    async def test_it_opens_and_closes(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk, (40, 12)) as pilot:
            await pilot.press("question_mark", "y")
            assert isinstance(desk.app.screen, Help)
            await pilot.press("q")
            assert isinstance(desk.app.screen, ReviewScreen)
            assert not desk.review.counts[HunkState.ACCEPTED], "keys mean nothing under a screen"

    @pytest.mark.asyncio
    async def test_the_palette_lists_every_command_and_calls_it(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            listed = list(desk.app.get_system_commands(desk.app.main))
            assert len(listed) == len(COMMANDS) + 1
            next(command for command in listed if command.help.startswith("reject-rest ")).callback()
            assert desk.review.counts == {HunkState.REJECTED: 3}
            await pilot.press("ctrl+p")
            assert isinstance(desk.app.screen, CommandPalette)


class TestSearching:
    @pytest.mark.asyncio
    async def test_matches_are_shown_while_typing(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("slash", *"line_1")
            assert isinstance(desk.app.screen, SearchRow)
            assert len(desk.review.file.matches) == 2 * 11
            await pilot.press("enter", "f3")
            assert isinstance(desk.app.screen, ReviewScreen) and desk.review.file.match == 1
            assert "match 2/22" in str(header_row(desk.review, 80))
            await pilot.press("slash")
            assert desk.app.screen.query_one(Input).value == "line_1", "it is there to be changed"

    @pytest.mark.asyncio
    async def test_a_fold_over_a_match_opens(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("slash", *"line_9")
            assert not desk.review.view.open_folds, "not while it is typed"
            await pilot.press("enter")
            assert desk.review.view.open_folds == {4}
            await pilot.press("f3")
            assert desk.review.view.open_folds == {4, 25}

    @pytest.mark.asyncio
    async def test_a_search_can_be_left(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("slash", "x", "escape")
            assert desk.review.query == "" and desk.app.screen is desk.app.main
            await pilot.press("slash", "x", "enter")
            assert "no match" in str(header_row(desk.review, 80))
            await pilot.press("escape")
            assert desk.review.query == ""


class TestEditing:
    @pytest.mark.asyncio
    async def test_a_hunk_is_edited_here(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("e", "end", "4", "2", "ctrl+s")
            assert desk.app.screen is desk.app.main
            assert desk.review.file.hunks[0].new == "value42"

    @pytest.mark.asyncio
    @pytest.mark.parametrize("keys", [("x", "escape"), ("ctrl+s",)])
    async def test_nothing_changes_where_it_is_left(self, tmp_path: Path, keys: tuple[str, ...]) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("e", *keys)
            assert desk.app.screen is desk.app.main and desk.review.file.proposal.text == NEW

    @pytest.mark.asyncio
    async def test_line_ends_are_those_of_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "windows.py"
        path.write_bytes(b"a = valeu\r\nb = 1\r\n")
        desk = Desk(path)
        async with running(desk) as pilot:
            await pilot.press("e")
            desk.app.screen.query_one(TextArea).text = "1\n"
            await pilot.press("ctrl+s")
            assert desk.review.file.hunks[0].new == "1\r\n"

    @pytest.mark.asyncio
    async def test_a_hunk_that_went_away_meanwhile_is_not_edited(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("e")
            assert isinstance(desk.app.screen, Edit)
            desk.app.act(Move.LAST)
            await pilot.press("x", "ctrl+s")
            assert all(hunk.new == "value" for hunk in desk.review.file.hunks)
            assert "x" in desk.app.clipboard and len(desk.app._notifications) == 1, (
                "what was typed is not lost"
            )

    @pytest.mark.asyncio
    async def test_a_hunk_that_a_pass_only_rates_anew_is_edited(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path), fixes=True)
        async with running(desk) as pilot:
            document = desk.review.file.document
            desk.fixer.post(Stepped(0, Step(1, 8, Proposal.from_texts(document, NEW, 0.5), done=False)))
            await pilot.pause()
            await pilot.press("e", "end", "2")
            desk.fixer.post(Stepped(0, Step(2, 8, Proposal.from_texts(document, NEW, 0.9), done=False)))
            await pilot.pause()
            await pilot.press("ctrl+s")
            assert desk.review.file.hunks[0].new == "value2" and not len(desk.app._notifications)

    @pytest.mark.asyncio
    async def test_a_hunk_is_edited_outside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        editor(tmp_path, monkeypatch, 'echo worth > "$1"')
        desk = Desk(slips(tmp_path))
        monkeypatch.setattr(desk.app, "suspend", _lent)
        async with running(desk) as pilot:
            await pilot.press("E")
            assert desk.review.file.hunks[0].new == "worth"

    @pytest.mark.asyncio
    async def test_an_interrupt_of_the_editor_is_none_of_the_reviewer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, f'kill -INT {os.getpid()}; sleep 0.1; echo worth > "$1"')
        desk = Desk(slips(tmp_path))
        monkeypatch.setattr(desk.app, "suspend", _lent)
        async with running(desk) as pilot:
            await pilot.press("E")
            await pilot.pause(0.1)
            assert desk.app.is_running and desk.app.screen is desk.app.main
            assert desk.review.file.hunks[0].new == "worth"

    @pytest.mark.asyncio
    async def test_an_editor_that_fails_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, "exit 3")
        desk = Desk(slips(tmp_path))
        monkeypatch.setattr(desk.app, "suspend", _lent)
        async with running(desk) as pilot:
            await pilot.press("E", "o")
            assert [note.severity for note in desk.app._notifications] == ["error"] * 2
            assert desk.review.file.proposal.text == NEW

    @pytest.mark.asyncio
    async def test_a_terminal_that_cannot_be_lent_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, "exit 0")
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("o")
            assert len(desk.app._notifications) == 1

    @pytest.mark.asyncio
    async def test_the_file_is_opened_at_the_hunk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[tuple[Path, int]] = []
        monkeypatch.setattr(outside, "open_at", lambda path, line: opened.append((path, line)))
        desk = Desk(slips(tmp_path))
        monkeypatch.setattr(desk.app, "suspend", _lent)
        async with running(desk) as pilot:
            await pilot.press("j", "o")
        assert opened == [(tmp_path / "slips.py", 22)]

    @pytest.mark.asyncio
    async def test_a_hunk_is_copied(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("c")
            assert desk.app.clipboard == "value"


class TestOutside:
    def test_the_temporary_file_is_for_this_user_only_and_goes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, f'stat -c "%a %n" "$1" > {tmp_path}/seen; echo b >> "$1"')
        assert edit_text("a\r\n", ".py") == "a\r\nb\n"
        mode, name = (tmp_path / "seen").read_text().split()
        assert mode == "600" and name.endswith(".py") and not os.path.exists(name)

    def test_an_editor_may_have_options(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        editor(tmp_path, monkeypatch, 'echo "$1" > "$2"')
        monkeypatch.setenv("VISUAL", os.environ["EDITOR"] + " --wait")
        assert edit_text("a", "") == "--wait"

    @pytest.mark.parametrize(
        ("text", "left"), [("a", "b"), ("a\n", "b\n"), ("", "b"), ("a\n\n", "b\n"), ("b", "b")]
    )
    def test_the_end_of_the_last_line_is_the_editor_s_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, left: str
    ) -> None:
        editor(tmp_path, monkeypatch, 'echo b > "$1"')
        assert edit_text(text, "") == left

    def test_a_file_that_the_editor_took_away_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, 'rm "$1"')
        with pytest.raises(EditorError, match="exchanged"):
            edit_text("a", "")

    def test_no_place_for_temporary_files_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, "exit 0")
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
        with pytest.raises(EditorError, match="exchanged"):
            edit_text("a", "")

    def test_a_line_is_given_to_editors_that_take_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/seen')
        open_at(tmp_path / "a.py", 7)
        assert (tmp_path / "seen").read_text().split() == [str(tmp_path / "a.py")]
        (tmp_path / "editor").rename(tmp_path / "nvim")
        monkeypatch.setenv("EDITOR", str(tmp_path / "nvim"))
        open_at(tmp_path / "a.py", 7)
        assert (tmp_path / "seen").read_text().split() == ["+7", str(tmp_path / "a.py")]

    @pytest.mark.parametrize(
        ("value", "words"),
        [("", "set EDITOR"), (" ", "set EDITOR"), ("'", "quotes"), ("/nowhere/ed", "started")],
    )
    def test_no_editor_is_said(self, monkeypatch: pytest.MonkeyPatch, value: str, words: str) -> None:
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", value)
        with pytest.raises(EditorError, match=words):
            edit_text("a", "")

    def test_text_that_is_no_utf_8_is_not_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        editor(tmp_path, monkeypatch, "printf '\\377' > \"$1\"")
        with pytest.raises(EditorError, match="UTF-8"):
            edit_text("a", "")


class TestChoice:
    @pytest.mark.asyncio
    @pytest.mark.parametrize("size", [(20, 5), (40, 10), (56, 12), (80, 24)])
    async def test_every_answer_is_seen_at_every_size(self, tmp_path: Path, size: tuple[int, int]) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk, size) as pilot:
            await pilot.press("y", "q")
            seen = [str(button.label) for button in desk.app.screen.query(Button) if _is_whole(button)]
            assert seen == ["write (w)", "cancel (c)", "discard (d)"]
            assert size == (20, 5) or _is_whole(desk.app.screen.query_one(Label)), "it scrolls there"


class TestRows:
    @pytest.mark.parametrize("width", [1, 5, 20, 40, 80, 300])
    def test_a_row_is_never_wider_than_there_is_room(self, tmp_path: Path, width: int) -> None:
        desk = Desk(slips(tmp_path, "長い名前" * 10 + "\x1b[31m.py"))
        row = header_row(desk.review, width)
        assert row.cell_length <= width and str(row).isprintable()
        playback = Playback(running=True, total=27)
        assert flow_row(playback, width)[0].cell_length <= width

    def test_the_end_of_a_long_name_is_kept(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path, "a" * 60 + "z.py"))
        assert "az.py  1/3" in str(header_row(desk.review, 50))

    def test_an_adapter_is_the_last_to_go(self, tmp_path: Path) -> None:
        status = EngineStatus(StatusKind.ready, "default@9a61e92a", "cpu")
        assert engine_words(None, None) == [""]
        assert engine_words(status, None) == ["default@9a61e92a · cpu · ready"]
        model = "default@9a61e92a+shop@1a2b3c4d"
        review = replace(Desk(slips(tmp_path)).review, engine=status)
        review = replace(review, files=(replace(review.file, model=model),))
        wide, narrow, tiny = (str(header_row(review, width)) for width in (100, 60, 40))
        assert wide.endswith(f"  {model} · cpu · ready")
        assert narrow.endswith("  shop@1a2b3c4d") and "default" not in narrow
        assert "shop" not in tiny.replace("slips", "")

    def test_other_files_are_counted_where_they_are_not_listed(self, tmp_path: Path) -> None:
        desk = Desk(*(slips(tmp_path, f"{name}.py") for name in "abc"))
        review = reduce(desk.review, Verdict.ACCEPT)
        wide, narrow, tiny = (str(header_row(review, width)) for width in (NARROW, NARROW - 1, 40))
        assert "a.py  2/3 · 1 accepted" in wide
        assert narrow.rstrip() == "a.py  file 1/3 · 2/3 · 1 accepted · in all 8 undecided, 1 accepted"
        assert tiny.rstrip() == "a.py  file 1/3 · 2/3 · 1 accepted"

    def test_the_track_ends_where_the_last_frame_is(self) -> None:
        row, (start, end) = flow_row(Playback(), 40)
        assert str(row)[start:end] == "━" * (end - start) and end == 39


@contextmanager
def _lent() -> Iterator[None]:
    """A terminal in memory can be lent too."""
    yield


def _is_whole(widget: Widget) -> bool:
    """Whether all of it is on the screen."""
    return widget.screen.find_widget(widget).visible_region == widget.region
