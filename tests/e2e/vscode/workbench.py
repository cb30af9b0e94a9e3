"""A VS Code window as a person uses it: keys, menus and what is on the screen."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TooLate

SCRIPT = Path(__file__).with_name("painted.js")
IDLE = re.compile(r"^\s*default\s*$")
REVIEWING = "to review"
STEP = r"step \d+.*, [1-9]\d* edit"

Place = tuple[str, str, str]
"""A line, what is struck through there, and the ghost text."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """One window on `folder`; screenshots go to `shots`."""

    page: Page
    folder: Path
    shots: Path

    @classmethod
    def open(cls, page: Page, address: str, folder: Path, shots: Path) -> "Workbench":
        """The window, once its explorer shows the folder."""
        page.add_init_script(path=SCRIPT)
        page.goto(f"{address}/?folder={folder}", wait_until="domcontentloaded")
        expect(page.locator(".explorer-folders-view .monaco-list-row").first).to_be_visible()
        return cls(page, folder, shots)

    def open_file(self, name: str) -> None:
        """Shows the file in an editor that has the focus."""
        self.page.locator(".explorer-folders-view .monaco-list-row", has_text=name).dblclick()
        expect(self.page.locator(".tab.active")).to_contain_text(name)
        expect(self.page.locator(".monaco-editor .view-line").first).to_be_visible()

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Characters, as they come from a keyboard."""
        self.page.keyboard.type(text)

    def go_to(self, line: int) -> None:
        """Puts the cursor at the start of a line, counted from 1."""
        self.press("Control+g")
        box = self._quick_input(f":{line}:1")
        self.press("Enter")
        expect(box).to_be_hidden()

    def run(self, command: str) -> None:
        """Chooses a command in the palette."""
        self.press("F1")
        self._quick_input(f">{command}")
        self.page.locator(".quick-input-list .monaco-list-row", has_text=command).first.click()

    def _quick_input(self, text: str) -> Locator:
        box = self.page.locator(".quick-input-widget input")
        expect(box).to_be_visible()
        box.fill(text)
        return box

    def use_light_bulb(self, title: str) -> None:
        """Chooses an action at the cursor, asking again where VS Code had closed the menu."""
        entry = self.page.locator(".action-widget .monaco-list-row", has_text=title).first
        for patience_ms in (5_000, 5_000, 20_000):
            self.press("Control+.")
            try:
                entry.wait_for(timeout=patience_ms)
                break
            except TooLate:
                self.press("Escape")
        self.shot("light-bulb")
        entry.click()

    @property
    def status(self) -> Locator:
        """The status bar item of the extension."""
        return self.page.locator('.statusbar-item[id^="editflow."]')

    @property
    def lenses(self) -> Locator:
        """The lines of commands above hunks."""
        return self.page.locator(".codelens-decoration")

    def wait_until_ready(self) -> None:
        """Waits until the model is loaded and at rest, and nothing is proposed."""
        expect(self.status).to_have_text(IDLE)
        expect(self.lenses).to_have_count(0)
        self.page.wait_for_function("painted().length === 0")

    def wait_for_step(self) -> None:
        """Waits, a frame at most, until the model has something to show and goes on."""
        self.page.wait_for_function(f"/{STEP}/.test(statusShown())")

    def wait_for_review(self) -> None:
        """Waits until the model is done, and has proposed something."""
        expect(self.status).to_contain_text(REVIEWING)

    def is_reviewing(self) -> bool:
        """Whether the model is done."""
        return REVIEWING in self.status.inner_text()

    def is_dirty(self) -> bool:
        """Whether the editor holds something that is not saved."""
        return self.page.locator(".tab.active.dirty").count() > 0

    def text(self) -> str:
        """The lines of the buffer that are on the screen."""
        return str(self.page.evaluate("textShown()"))

    def saved(self, name: str) -> str:
        """The file's text, after the editor has saved it."""
        self.press("Control+s")
        expect(self.page.locator(".tab.active.dirty")).to_have_count(0)
        return (self.folder / name).read_text()

    def watch(self) -> None:
        """Starts to keep every distinct picture of the proposal, frame by frame."""
        self.page.evaluate("watch()")

    def pictures(self) -> list[list[Place]]:
        """What `watch` has seen."""
        seen = self.page.evaluate("pictures")
        return [[(line, old, new) for line, old, new in json.loads(picture)] for picture in seen]

    def waits_ms(self) -> list[float]:
        """Milliseconds from the last click to each of the pictures that followed it."""
        times: list[float | None] = self.page.evaluate("times")  # none for what was painted before any click
        return [time for time in times if time is not None and time > 0]

    def film(self, name: str) -> None:
        """After `watch`: a screenshot of each new picture that lasts long enough, until the model is done."""
        number = 0
        while not self.is_reviewing():
            seen = self.page.evaluate("pictures.length")
            self.shot(f"{name}-{number}")
            self.page.wait_for_function(f"pictures.length > {seen} || statusShown().includes('{REVIEWING}')")
            number += 1

    def shot(self, name: str) -> None:
        """Keeps what is on the screen."""
        self.page.screenshot(path=self.shots / f"{name}.png")
