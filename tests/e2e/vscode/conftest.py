"""One VS Code for all tests here, and a window with a fresh folder for each."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.conftest import needs
from tests.e2e.vscode.code_server import CodeServer, Installation
from tests.e2e.vscode.workbench import Workbench
from tests.lsp_server.private_engine import private_engine

FOLDER = Path(__file__).parents[3] / "build" / "e2e"
SHOP = Path(__file__).with_name("shop.txt")

CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
QUIET = {  # no assistant, no news, no updates, nothing saved unasked, nothing drawn twice
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "editor.stickyScroll.enabled": False,
    "extensions.autoUpdate": "off",
    "files.autoSave": "off",
    "remote.autoForwardPorts": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
}
TIMEOUT_MS = 60_000  # on a busy machine a window takes 30 s to be ready


class Open(Protocol):
    """Opens a window on a folder with these files and workspace settings, the first file in an editor."""

    def __call__(self, files: dict[str, str], /, **settings: Any) -> Workbench: ...


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where VS Code is served, the extension installed, with an engine that is nobody else's."""
    installation = Installation(FOLDER)
    needs(installation.command[0])
    home = FOLDER / "home"
    shutil.rmtree(home, ignore_errors=True)
    server = CodeServer(installation, home, QUIET, {"editflow.interpreter": sys.executable})
    with private_engine() as environment, server.serve(environment) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium without a screen."""
    chromium = needs("chromium")
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)


@pytest.fixture
def open_window(
    address: str, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Open]:
    """How a test ended, well or not, is kept as its last screenshot."""
    page = browser.new_page(viewport={"width": 1280, "height": 1080})
    page.set_default_timeout(TIMEOUT_MS)
    shots = FOLDER / "shots" / request.node.name
    shutil.rmtree(shots, ignore_errors=True)
    shots.mkdir(parents=True)

    def opened(files: dict[str, str], /, **settings: Any) -> Workbench:
        for name, text in {**files, ".vscode/settings.json": json.dumps(settings)}.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        window = Workbench.open(page, address, tmp_path, shots)
        window.open_file(next(iter(files)))
        window.wait_until_ready()
        return window

    yield opened
    page.screenshot(path=shots / "end.png")
    page.close()


@pytest.fixture(scope="session")
def shop() -> str:
    """Four broken functions."""
    return SHOP.read_text()
