"""The extension in a real VS Code, with the real server and the checkpoint that ships in the package."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.vscode.conftest import Open
from tests.e2e.vscode.workbench import Place

pytestmark = pytest.mark.editors

FIXES = {
    "    with open(path) as lines": "    with open(path) as lines:",
    "        if count = 0:": "        if count == 0:",
    "    return amuont": "    return amount",
    "        if best is None or prices[name] < prices[best]": "        if best is None or prices[name] < prices[best]:",
    "            best = nmae": "            best = name",
    "    for name, count in sorted(basket.items():": "    for name, count in sorted(basket.items()):",
    '    retrun "\\n".join(lines)': '    return "\\n".join(lines)',
}
OPEN_LINE = 6  # where the first of them is, in the shop
TOTAL = range(13, 20)  # the lines of a function that has two of them
TOTAL_SLIPS = ("if count", "amuont")
STREET = 20  # shops in a file that takes the model seconds


def fixed_lines(old: str, new: str) -> list[str]:
    """The lines that differ, of texts with equally many; each has become what it should have been."""
    lines = zip(old.split("\n"), new.split("\n"), strict=True)
    changed = [(before, after) for before, after in lines if before != after]
    assert changed == [(before, FIXES.get(before)) for before, _ in changed]
    return [before for before, _ in changed]


def lines_of(picture: list[Place]) -> set[str]:
    return {line for line, _, _ in picture}


def test_stream_is_seen_reviewed_applied_and_undone(open_window: Open, shop: str) -> None:
    window = open_window({"shop.py": shop})
    window.shot("1-open")
    window.go_to(OPEN_LINE)
    window.watch()
    window.use_light_bulb("Fix file with Edit Flow")
    window.film("2-stream")
    expect(window.lenses).to_have_count(len(FIXES))
    window.shot("3-review")
    pictures = [picture for picture in window.pictures() if picture]
    assert len(pictures) >= 3, "two states before the last one"
    for before, now, after in zip(pictures, pictures[1:], pictures[2:], strict=False):
        assert lines_of(before) & lines_of(after) <= lines_of(now), "it flickers"
    waits = window.waits_ms()
    (window.shots / "painted.json").write_text(json.dumps({"first_ms": waits[0], "final_ms": waits[-1]}))
    assert window.text() == shop
    assert not window.is_dirty()

    window.go_to(1)
    window.press("Alt+]", "Control+n")
    expect(window.status).to_contain_text(f"{len(FIXES) - 1} of {len(FIXES)}")
    expect(window.lenses).to_have_count(len(FIXES) - 1)
    window.shot("4-one-rejected")
    window.press("Control+Enter")
    window.wait_until_ready()
    window.shot("5-accepted")
    _, *rest = FIXES
    assert fixed_lines(shop, window.saved("shop.py")) == rest

    window.press("Control+z")
    assert window.saved("shop.py") == shop
    window.shot("6-undone")


def test_escape_stops_the_stream(open_window: Open, shop: str) -> None:
    window = open_window({"street.py": shop * STREET})
    before = window.text()
    window.run("Edit Flow: Fix File")
    window.wait_for_step()
    window.press("Escape")
    window.wait_until_ready()
    assert window.text() == before
    assert not window.is_dirty()


def test_typing_above_what_is_fixed_keeps_the_hunks(open_window: Open, shop: str) -> None:
    window = open_window({"street.py": shop * STREET})
    window.go_to(1 + shop.count("\n"))
    window.press("Control+Shift+End")
    window.run("Edit Flow: Fix Selection")
    window.wait_for_step()
    window.press("Control+Home")
    window.type("# new")
    assert not window.is_reviewing()
    window.wait_for_review()
    window.shot("1-review")
    window.press("Control+Enter")
    window.wait_until_ready()
    text = window.saved("street.py")
    assert text.startswith("# new" + shop)
    assert len(fixed_lines(shop * STREET, text.removeprefix("# new"))) > STREET


def test_typing_into_what_is_fixed_ends_it(open_window: Open, shop: str) -> None:
    window = open_window({"street.py": shop * STREET})
    window.go_to(2)
    window.run("Edit Flow: Fix File")
    window.wait_for_step()
    window.type("# new")
    toast = window.page.locator(".notification-toast", has_text="the document was changed")
    expect(toast).to_be_visible()
    window.shot("1-ended")
    window.wait_until_ready()
    assert window.saved("street.py") == (shop * STREET).replace("\n\n", "\n# new\n", 1)


def test_refactor_preview_where_nothing_streams(open_window: Open, shop: str) -> None:
    window = open_window({"shop.py": shop}, **{"editflow.preview": "off", "editflow.review": "always"})
    window.go_to(OPEN_LINE)
    window.use_light_bulb("Fix file with Edit Flow")
    panel = window.page.locator(".bulk-edit-panel")
    rows = panel.locator(".monaco-list-row")
    expect(rows).to_have_count(1 + len(FIXES))
    for line in TOTAL_SLIPS:
        rows.filter(has_text=line).locator(".edit-checkbox").click()
    window.shot("1-ticked")
    panel.get_by_role("button", name="Apply").click()
    expect(panel).to_be_hidden()
    assert len(fixed_lines(shop, window.saved("shop.py"))) == len(TOTAL_SLIPS)


def test_selection_from_the_context_menu(open_window: Open, shop: str) -> None:
    window = open_window({"shop.py": shop})
    window.go_to(TOTAL.stop)
    window.press(*["Shift+ArrowUp"] * len(TOTAL))
    window.page.locator(".view-line", has_text="amount +=").click(button="right")
    window.shot("1-menu")
    window.page.locator(".monaco-menu .action-item", has_text="Fix Selection").click()
    window.wait_for_review()
    window.press("Control+Enter")
    window.wait_until_ready()
    fixed = fixed_lines(shop, window.saved("shop.py"))
    assert fixed
    assert set(fixed) <= set(shop.split("\n")[TOTAL.start - 1 : TOTAL.stop - 1])


def test_side_by_side(open_window: Open, shop: str) -> None:
    window = open_window({"shop.py": shop})
    window.run("Edit Flow: Fix File")
    window.wait_for_review()
    window.run("Edit Flow: Show Edits Side by Side")
    proposed = window.page.locator(".monaco-diff-editor .editor.modified .view-line")
    expect(proposed.filter(has_text="return amount")).to_be_visible()
    expect(window.status).to_contain_text(f"{len(FIXES)} edits")
    window.shot("1-diff")
    window.press("Control+Enter")
    window.wait_until_ready()
    window.open_file("shop.py")
    assert fixed_lines(shop, window.saved("shop.py")) == list(FIXES)


def test_notebook_cell(open_window: Open) -> None:
    source = ["def area(width, height)\n", "    return width * height\n"]
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    metadata = {"language_info": {"name": "python"}}
    notebook = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    window = open_window({"empty.py": "", "areas.ipynb": json.dumps(notebook)})
    window.open_file("areas.ipynb")
    window.page.locator(".notebook-editor .view-line", has_text="def").click()
    window.use_light_bulb("Fix with Edit Flow")
    window.wait_for_review()
    window.shot("1-review")
    window.press("Control+Enter")
    window.wait_until_ready()
    assert json.loads(window.saved("areas.ipynb"))["cells"][0]["source"] == [
        "def area(width, height):\n",
        source[1],
    ]


def test_folder_chooses_no_program(open_window: Open, shop: str, tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\ntouch "{tmp_path}/ran"\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    open_window({"shop.py": shop}, **{"editflow.interpreter": str(program)})
    assert not (tmp_path / "ran").exists()
