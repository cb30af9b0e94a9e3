"""The reviewer: one state, the screen that shows it, and the engine and the files that change it."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from textual import on
from textual.app import App, SystemCommand
from textual.screen import Screen
from textual.timer import Timer

from editflow.commands.fix_options import Options
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.proposal import HunkState
from editflow_tui.actions import (
    Action,
    Flow,
    Fold,
    MoveTo,
    NextMatch,
    Reloaded,
    Scrub,
    Select,
    Show,
    Started,
    Verdict,
    Wrote,
)
from editflow_tui.commands import BY_NAME, COMMANDS, When
from editflow_tui.diff_view import DiffView
from editflow_tui.errands import Errands
from editflow_tui.file_review import FileReview
from editflow_tui.files import Files
from editflow_tui.fixing import Fixer, MakeFixer, request_for
from editflow_tui.flow_bar import FlowBar
from editflow_tui.following import Run
from editflow_tui.personal import Personal
from editflow_tui.review import Review, reduce
from editflow_tui.runner import Ended, EngineChanged, Noted, RunnerEvent, Stepped, Suspected
from editflow_tui.screens.review import ReviewScreen, review_screen
from editflow_tui.visible import safe


class Reviewer(App[int]):
    """Runs a review; its result is the exit code."""

    TITLE = "EditFlow"
    CSS_PATH = "reviewer.tcss"
    ENABLE_COMMAND_PALETTE = False  # it is a command like the others

    def __init__(
        self,
        review: Review,
        options: Options,
        personal: Personal,
        make_fixer: MakeFixer,
        *,
        fixes: bool = True,
    ) -> None:
        """`fixes`: all files are fixed at the start, in contrast to proposals that are there already."""
        super().__init__()
        self.review, self.keymap = review, personal.keymap
        self.main: ReviewScreen = review_screen(personal.keymap, review)
        self._options, self._make_fixer, self._fixes = options, make_fixer, fixes
        self._personal = personal
        self._fixer: Fixer | None = None
        self._asked: dict[int, Document] = {}  # documents whose heat was asked for, by file
        self._runs: Counter[int] = Counter()  # the number of the latest run, by file
        self._past_interrupt: Any = None
        self._timer: Timer | None = None
        self._errands = Errands(self)

    def get_default_screen(self) -> Screen[None]:
        """The review."""
        return self.main

    def on_ready(self) -> None:
        """The first screen is there: now what takes longer."""
        gc.enable()
        for problem in self._personal.problems:
            self.complain(problem)
        self._heed_signals()
        self.run_worker(self._watch())
        if self._fixes:
            for index in range(len(self.review.files)):
                self.begin(index)

    async def on_unmount(self) -> None:
        """Hang up."""
        if self._past_interrupt is not None:
            signal.signal(signal.SIGINT, self._past_interrupt)
        if self._fixer is not None:
            await self._fixer.close()

    def act(self, action: Action) -> None:
        """Change the state and show it."""
        before, self.review = self.review, reduce(self.review, action)
        if before != self.review and self.main.is_attached:
            self.main.show(self.review)
            self._keep_playing()
            self._ask_for_heat()
        match action:
            case NextMatch():
                self.uncover_match()
            case Ended(key, str(error)) | Suspected(key, _, str(error)) if key == self.review.current:
                self.complain(error)
            case Verdict() if before.file.is_drafted and not self.review.file.is_drafted:
                self.say("a frame was shown; this is all that is proposed: decide now")

    def uncover_match(self) -> None:
        """Open the fold that hides the match."""
        line = self.review.file.line_of_match
        fold = None if line is None else self.main.query_one(DiffView).fold_over(line)
        if fold is not None and fold not in self.review.view.open_folds:
            self.act(Fold(fold))
            self.main.reveal_match()

    def complain(self, words: str) -> None:
        """Say what went wrong."""
        self.notify(safe(words), severity="error", markup=False)

    def say(self, words: str) -> None:
        """Say what was done."""
        self.notify(safe(words), markup=False)

    def action_command(self, name: str) -> None:
        """What a key, the palette or the footer asks for."""
        command = BY_NAME[name]
        if command.action is not None:
            self.act(command.action)
        else:
            self._errands.run(name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for selecting mean something only meanwhile."""
        if action == "command" and BY_NAME[str(parameters[0])].when is When.SELECTING:
            return self.review.file.is_selecting
        return True

    async def action_quit(self) -> None:
        """Textual's own way out asks too."""
        self.action_command("quit")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette lists."""
        for command in COMMANDS:
            keys = self.keymap.shown(command.name)
            call = _calling(self.action_command, command.name)
            yield SystemCommand(command.words.capitalize(), f"{command.name}  {keys}", call)
        yield SystemCommand("Change the theme", "until the end of this review", self.action_change_theme)

    def begin(self, index: int, run: Run | None = None, *, seed: int | None = None) -> None:
        """Start a fix of a file in place of the one that runs."""
        file = self.review.files[index]
        started = Started(index, file.seed if seed is None else seed, run or Run())
        try:
            request = request_for(file, started, self._options)
        except EditFlowError as error:
            self.complain(str(error))
            return
        self._runs[index] += 1
        self.act(started)
        self.fixer.fix(index, request)

    def renew(self, event: Wrote | Reloaded) -> None:
        """A file's text is another now: what ran stops, and begins again if it meant the whole file."""
        index, file = event.file, self.review.files[event.file]
        self._asked.pop(index, None)
        self._runs[index] += 1
        if self._fixer is not None:
            self._fixer.cancel(index)
        self.act(event)
        if file.playback.running and file.run == Run():
            self.begin(index)
        elif file.playback.running:
            self.say(f"{file.name}: the text is another now, so the fix was stopped: ask for it again")

    def keep_outcomes(self, file: FileReview, state: HunkState) -> None:
        """Record what was decided so, if the person wants that."""
        if self._personal.record_outcomes:
            from editflow_tui.recording import keep

            try:
                keep([file], state, self._options.message)
            except EditFlowError as error:
                self.complain(str(error))

    def reload(self, index: int) -> None:
        """Read a file again; decisions stay where their text does."""
        file = self.review.files[index]
        if file.document.path is None:
            return
        try:
            document = Document.read(file.document.path)
        except EditFlowError as error:
            self.complain(str(error))
            return
        if document.data != file.document.data:
            self.renew(Reloaded(index, document))

    @property
    def fixer(self) -> Fixer:
        """The engine, started with the first job."""
        if self._fixer is None:
            self._fixer = self._make_fixer(self._post)
        return self._fixer

    def on_diff_view_hunk_clicked(self, event: DiffView.HunkClicked) -> None:
        """The cursor goes to a hunk."""
        self.act(MoveTo(event.index))

    def on_diff_view_fold_clicked(self, event: DiffView.FoldClicked) -> None:
        """A fold opens or closes."""
        self.act(Fold(event.first_line))

    def on_diff_view_line_clicked(self, event: DiffView.LineClicked) -> None:
        """A selection that is being made goes on to there."""
        file = self.review.file
        if file.is_selecting and file.selection is not None:
            self.act(Select((file.selection[0], event.line), is_open=True))

    @on(Files.OptionSelected, "Files")
    def show_file(self, event: Files.OptionSelected) -> None:
        """Another file is looked at."""
        self.act(Show(event.option_index))

    def on_flow_bar_scrubbed(self, event: FlowBar.Scrubbed) -> None:
        """A frame is looked at."""
        self.act(Scrub(event.at))

    def on_flow_bar_pressed(self) -> None:
        """The flow plays, or pauses."""
        self.act(Flow.PLAY)

    def _post(self, event: RunnerEvent) -> None:
        self.call_later(self._hear, event, self._stamp(event))

    def _hear(self, event: RunnerEvent, stamp: object) -> None:
        """Act on what was posted, unless what it is about was given up before its turn came."""
        if isinstance(event, Noted):
            self.complain(event.words)
        elif self._stamp(event) == stamp:
            self.act(event)

    def _stamp(self, event: RunnerEvent) -> object:
        """What an event is about: a run, or a look at a document."""
        match event:
            case Stepped(index) | Ended(index):
                return self._runs[index]
            case Suspected(index):
                return self._asked.get(index)
            case EngineChanged() | Noted():
                return None

    def _keep_playing(self) -> None:
        playback = self.review.file.playback
        if playback.playing and self._timer is None:
            self._timer = self.set_timer(playback.interval, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.act(Flow.TICK)
        self._keep_playing()

    def _ask_for_heat(self) -> None:
        index, document = self.review.current, self.review.file.document
        if self.review.view.heat and self._asked.get(index) is not document:
            self._asked[index] = document
            self.fixer.suspect(index, document)

    async def _watch(self) -> None:
        from editflow_tui.watch import changes

        paths = [file.document.path for file in self.review.files]
        try:
            async for path in changes(path for path in paths if path is not None):
                self._reload_all(path)
        except EditFlowError as error:
            self.complain(str(error))

    def _reload_all(self, path: Path) -> None:
        for index, file in enumerate(self.review.files):
            if file.document.path == path:
                self.reload(index)

    def _heed_signals(self) -> None:
        """The terminal is put back in order, however the reviewer is ended."""
        if sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit, 128 + number)

        def interrupted(*_: object) -> None:
            if not self._errands.is_lent:  # the loop would learn of it only when the editor has ended
                loop.call_soon_threadsafe(self.call_later, self.action_command, "interrupt")

        self._past_interrupt = signal.signal(signal.SIGINT, interrupted)


def _calling(function: Callable[[str], None], name: str) -> Callable[[], None]:
    return lambda: function(name)
