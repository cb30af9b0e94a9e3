"""Typing, cancelling, resolving and applying in thousands of orders: no keystroke is lost, nothing stale is applied."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest

from editflow_lsp.messages import FixResult, JobStatus, Mode
from editflow_lsp.session import Fixed
from tests.lsp_server.simulation import Character, Desk, SimulatedFix, settle

LINES = 9
TEXT = "".join(f"a{n} = b{n}\n" for n in range(LINES))
SCHEDULES = 10_000
ACTIONS = 14


@dataclass
class Run:
    """One random schedule."""

    desk: Desk
    random: Random
    tasks: dict[str, asyncio.Task[Fixed]] = field(default_factory=dict)
    seen: dict[str, dict[int, Character]] = field(default_factory=dict)
    """The document's characters by offset, as each job's model was shown it."""
    typed: set[Character] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    """Identities that the person deleted."""
    cancelled: set[str] = field(default_factory=set)
    """Jobs that the server had been told to cancel before it asked to apply anything."""
    outcomes: Counter[str] = field(default_factory=Counter)

    async def go(self) -> None:
        """Do random things, then let everything come to its end, looking all the time."""
        actions = {self.type: 2, self.ask: 2, self.step: 2, self.finish: 3, self.cancel: 1}
        actions |= {self.deliver: 5, self.receive: 1}
        for _ in range(ACTIONS):
            (act,) = self.random.choices(list(actions), list(actions.values()))
            act()
            await settle(self.random.choice((0, 1, 6)))
            self.collect()
        for _ in range(4):
            while self.desk.editor.to_server or self.desk.editor.to_editor:
                self.deliver()
                self.receive()
                await settle()
            for fix in self.desk.model.started:
                fix.cancel()
            await settle()
            self.collect()
        assert not self.tasks
        self.check()

    def type(self) -> None:
        editor = self.desk.editor
        size = len(editor.characters)
        start = self.random.randint(0, size)
        end = min(size, start + self.random.choice((0, 0, 0, 1, 3)))
        self.deleted |= {character.identity for character in editor.characters[start:end]}
        new = "" if end > start and self.random.random() < 0.5 else self.random.choice("xyz\n")
        self.typed |= set(editor.type(start, end, new))

    def ask(self) -> None:
        """Ask for a fix of some lines; the request waits behind what was typed before it."""
        job_id = f"j{len(self.seen)}"
        first = self.random.randrange(LINES)
        lines = (first, self.random.randint(first + 1, LINES)) if self.random.random() < 0.8 else None
        mode = self.random.choice((Mode.preview, Mode.apply))
        params = self.desk.params(job_id, mode=mode, lines=lines, instruction=job_id)
        self.seen[job_id] = dict(enumerate(self.desk.editor.characters))

        def start() -> None:
            self.tasks[job_id] = asyncio.get_running_loop().create_task(self.desk.session.fix(params, job_id))

        self.desk.editor.to_server.append(("call", start))

    def step(self) -> None:
        if (fix := self._running()) is not None:
            fix.step(self._edits(fix))

    def finish(self) -> None:
        if (fix := self._running()) is not None:
            fix.step(self._edits(fix), done=True)

    def cancel(self) -> None:
        """The person cancels a job; the server hears of it later."""
        if not self.seen:
            return
        job_id = self.random.choice(list(self.seen))

        def cancel() -> None:
            if self.desk.session.jobs.cancel(job_id):
                self.cancelled.add(job_id)

        self.desk.editor.to_server.append(("call", cancel))

    def deliver(self) -> None:
        if self.desk.editor.to_server:
            self.desk.deliver()

    def receive(self) -> None:
        if self.desk.editor.to_editor:
            self.desk.editor.receive()

    def collect(self) -> None:
        """Take the answers; a preview is applied as docs/protocol.md asks: if the version is still the document's."""
        for job_id in [name for name, task in self.tasks.items() if task.done()]:
            result = self.tasks.pop(job_id).result().result
            self.outcomes[result.status] += 1
            if result.applied is not None:
                self.outcomes["verified" if result.applied else "refused"] += 1
            if result.status is JobStatus.done:
                assert job_id not in self.cancelled
            if result.applied is None and result.status is JobStatus.done:
                self._accept(result)

    def check(self) -> None:
        editor = self.desk.editor
        buffer = self.desk.workspace.opened("file:///project/a.py")
        assert buffer is not None
        assert (buffer.text, buffer.version) == (editor.current, editor.version)
        replaced = {identity for edit in editor.applied for old, _ in edit for identity in old}
        present = {character.identity for character in editor.characters}
        lost = {c.identity for c in self.typed} - present - self.deleted - replaced
        assert not lost
        for edit in editor.applied:
            assert self._was_proposed(edit)

    def _accept(self, result: FixResult) -> None:
        if result.text_document.version == self.desk.editor.version:
            self.desk.editor.apply([(hunk.range, hunk.new_text) for hunk in result.hunks])

    def _running(self) -> SimulatedFix | None:
        running = [fix for fix in self.desk.model.started if not fix.over]
        return self.random.choice(running) if running else None

    def _edits(self, fix: SimulatedFix) -> list[tuple[int, int, str, float]]:
        """Edits inside the lines that the model was given, remembered for the comparison."""
        text = fix.request.document.text
        starts = (*fix.request.document.line_starts, len(text))
        first, last = fix.request.lines or (1, len(starts) - 1)
        low, high = starts[first - 1], starts[min(last, len(starts) - 1)]
        if self.random.random() < 0.15:
            return []
        at = self.random.randint(low, high)
        return [(at, min(high, at + self.random.randint(0, 3)), self.random.choice(("Q", "QQ\n", "R")), 0.9)]

    def _was_proposed(self, edit: list[tuple[tuple[int, ...], str]]) -> bool:
        """Whether some model proposed just these replacements of just these characters, in a job not cancelled."""
        for fix in self.desk.model.started:
            job_id = fix.request.instruction
            if job_id in self.cancelled or fix.last is None:
                continue
            shown = self.seen[job_id]
            hunks = fix.last.proposal.hunks
            found = [(tuple(shown[at].identity for at in range(h.start, h.end)), h.new) for h in hunks]
            if found == edit:
                return True
        return False


async def run_all(honest: bool) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for seed in range(SCHEDULES // 2):
        run = Run(Desk(TEXT, honest=honest), Random(f"{honest}{seed}"))
        await run.go()
        outcomes += run.outcomes
        outcomes["applied"] += len(run.desk.editor.applied)
    return outcomes


@pytest.mark.parametrize("honest", [True, False])
def test_no_keystroke_is_lost_and_nothing_stale_is_applied(
    honest: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editflow_lsp.applying.PATIENCE", 0.0)
    outcomes = asyncio.run(run_all(honest))
    # Every way to end was taken many times, or the test would show little.
    expected = {*JobStatus, "applied", "verified", "refused"} - {JobStatus.error}
    assert {outcome for outcome, times in outcomes.items() if times >= 100} >= expected
