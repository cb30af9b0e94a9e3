"""Commands that reach beyond the state: files, editors, the clipboard, the engine, and screens that ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from textual.app import SuspendNotSupported

from editflow.commands.fix_options import FAILED
from editflow.errors import EditFlowError
from editflow.linebreaks import LineBreaks
from editflow.proposal import Hunk, HunkState
from editflow.writeback import FileChangedError, write
from editflow_tui import outside
from editflow_tui.actions import Fold, Look, Rewrite, Search, Select, Wrote
from editflow_tui.diff_view import DiffView
from editflow_tui.following import Run, key_of
from editflow_tui.visible import safe

if TYPE_CHECKING:
    from editflow_tui.app import Reviewer
    from editflow_tui.file_review import FileReview

INTERRUPTED = 130  # exit code
_EXCERPT = 40  # characters

Result = TypeVar("Result")


class Errands:
    """What the app does for commands that are more than an action."""

    def __init__(self, app: Reviewer) -> None:
        self._app = app
        self.is_lent = False
        """Whether someone else has the terminal."""
        self._by_name: Mapping[str, Callable[[], object]] = {
            "edit": self.edit,
            "edit-outside": self.edit_outside,
            "search": self.search,
            "write": lambda: self.write(app.review.current),
            "write-all": self.write_all,
            "copy": self.copy,
            "open": self.open,
            "reload": lambda: app.reload(app.review.current),
            "fold": self.fold,
            "heat": lambda: app.act(Look.HEAT),
            "again": lambda: app.begin(app.review.current, Run(other=True), seed=self._file.seed + 1),
            "steer": self.steer,
            "select": self.select,
            "here": self.here,
            "select-up": lambda: self._extend(-1),
            "select-down": lambda: self._extend(1),
            "select-done": lambda: app.act(Select(self._file.selection)),
            "cancel": self.cancel,
            "help": self.help,
            "palette": self.palette,
            "quit": self.quit,
            "interrupt": lambda: self.quit(INTERRUPTED),
        }

    def run(self, name: str) -> None:
        """Do what the command of this name says."""
        self._by_name[name]()

    @property
    def _file(self) -> FileReview:
        return self._app.review.file

    @property
    def _diff(self) -> DiffView:
        return self._app.main.query_one(DiffView)

    def edit(self) -> None:
        """Edit what the hunk writes, here."""
        from editflow_tui.screens.edit import Edit

        if (hunk := self._file.hunk) is not None:
            text = LineBreaks(hunk.new).text
            self._app.push_screen(Edit(self._title(hunk), text), lambda new: self._rewrite(hunk, new))

    def edit_outside(self) -> None:
        """Edit what the hunk writes, in the person's own editor."""
        hunk, path = self._file.hunk, self._file.document.path
        if hunk is None:
            return
        suffix = "" if path is None else path.suffix
        self._rewrite(hunk, self._suspended(lambda: outside.edit_text(LineBreaks(hunk.new).text, suffix)))

    def open(self) -> None:
        """Open the file where the cursor is; what becomes of it is seen as any other change."""
        path, line = self._file.document.path, self._diff.line_at_cursor
        if path is not None:
            self._suspended(lambda: outside.open_at(path, line))

    def copy(self) -> None:
        """Give what the hunk writes to the terminal's clipboard."""
        if (hunk := self._file.hunk) is not None:
            self._app.copy_to_clipboard(hunk.new)
            self._app.say("copied")

    def search(self) -> None:
        """Ask what to look for."""
        from editflow_tui.screens.search import SearchRow

        app = self._app
        row = SearchRow(app.review.query, lambda query: app.act(Search(query)))
        app.push_screen(row, lambda query: app.act(Search("")) if query is None else app.uncover_match())

    def fold(self) -> None:
        """Open or close the fold below the hunk under the cursor, or else the one above it."""
        line, reach = self._diff.line_at_cursor, (self._app.review.view.context or 0) + 1
        hunk, document = self._file.hunk, self._file.document
        last = line if hunk is None else document.line_of(max(hunk.start, hunk.end - 1)) + 1
        for place in (last + reach, line - reach, line):
            if place > 0 and (fold := self._diff.fold_over(place)) is not None:
                self._app.act(Fold(fold))
                return

    def write(self, index: int) -> bool:
        """Write what is accepted in a file; whether something was."""
        file = self._app.review.files[index]
        count = file.counts[HunkState.ACCEPTED]
        if not count:
            self._app.say("nothing is accepted that is not written")
            return False
        try:
            document = write(file.document, file.proposal.decided_text())
        except FileChangedError as error:
            self._offer_reload(index, str(error))
        except EditFlowError as error:
            self._app.complain(str(error))
        else:
            self._app.keep_outcomes(file, HunkState.ACCEPTED)
            self._app.renew(Wrote(index, document))
            self._app.say(f"{file.name}: {count} written")
            return True
        return False

    def write_all(self) -> bool:
        """Write every file with accepted hunks; whether there were such, and all could be."""
        unsaved = self._app.review.unsaved or (self._app.review.current,)
        return all([self.write(index) for index in unsaved])

    def steer(self) -> None:
        """Let the model go on from what was decided."""
        self._app.begin(self._app.review.current, Run(steered=self._file.proposal))

    def select(self) -> None:
        """Begin to select lines."""
        line = self._diff.line_at_cursor
        self._app.act(Select((line, line), is_open=True))

    def here(self) -> None:
        """Fix the selected lines only."""
        if self._file.lines is None:
            self._app.say(f"select lines first: {self._app.keymap.shown('select')}")
        else:
            self._app.begin(self._app.review.current, Run(lines=self._file.lines))

    def cancel(self) -> None:
        """End the selection, or else the search."""
        self._app.act(Select(None) if self._file.selection is not None else Search(""))

    def help(self) -> None:
        """Show all keys."""
        from editflow_tui.screens.help import Help

        self._app.push_screen(Help(self._app.keymap))

    def palette(self) -> None:
        """Find a command by its name."""
        from textual.command import CommandPalette

        self._app.push_screen(CommandPalette())

    def quit(self, code: int = 0) -> None:
        """Quit, after asking where something would be lost; a file that could not be fixed gives exit code 2."""
        from editflow_tui.screens.choice import Choice

        review = self._app.review
        pending, accepted = review.counts[HunkState.PENDING], review.counts[HunkState.ACCEPTED]
        code = code or (FAILED if any(file.playback.error for file in review.files) else 0)
        if not pending and not accepted:
            self._app.exit(code)
            return
        lost = {"undecided": pending, "accepted but not written": accepted}
        question = " and ".join(f"{count} {words}" for words, count in lost.items() if count)
        answers = ({"w": "write"} if accepted else {}) | {"c": "cancel", "d": "discard"}
        screen = Choice(f"{question}: quit?", answers)
        self._app.push_screen(screen, lambda answer: self._leave(answer, code))

    def _leave(self, answer: str | None, code: int) -> None:
        if answer == "d" or (answer == "w" and self.write_all()):
            self._app.exit(code)

    def _offer_reload(self, index: int, words: str) -> None:
        from editflow_tui.screens.choice import Choice

        def answered(answer: str | None) -> None:
            if answer == "r":
                self._app.reload(index)

        self._app.push_screen(Choice(safe(words), {"r": "reload", "c": "cancel"}), answered)

    def _extend(self, by: int) -> None:
        if (selection := self._file.selection) is not None:
            self._app.act(Select((selection[0], selection[1] + by), is_open=True))

    def _rewrite(self, hunk: Hunk, new: str | None) -> None:
        """Take an edited text, with the line ends that the file has there; it is not lost if the hunk is."""
        if new is None:
            return
        if self._file.hunk is None or key_of(self._file.hunk) != key_of(hunk):
            self._app.copy_to_clipboard(new)
            self._app.complain("the hunk went away meanwhile: what you wrote is on the clipboard")
            return
        lines = LineBreaks(self._file.document.text)
        edit = (lines.to_model(hunk.start), lines.to_model(hunk.end), new, 1.0)
        self._app.act(Rewrite(lines.restore(edit)[2]))

    def _title(self, hunk: Hunk) -> str:
        line = self._file.document.line_of(hunk.start) + 1
        old = safe(hunk.old[:_EXCERPT]) + "…" * (len(hunk.old) > _EXCERPT)
        return f"line {line}, in place of: {old}" if old else f"line {line}, inserted"

    def _suspended(self, work: Callable[[], Result]) -> Result | None:
        """What work with the terminal as it was before gives; None where it failed, which is said."""
        words = ""
        try:
            with self._app.suspend():
                self.is_lent = True
                try:
                    return work()
                except EditFlowError as error:  # the terminal must come back first
                    words = str(error)
                finally:
                    self.is_lent = False
        except SuspendNotSupported:
            words = "this terminal cannot be lent to an editor"
        self._app.complain(words)
        return None
