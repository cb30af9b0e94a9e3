"""Holds the source tree to its layers: who may import whom, and the form every module keeps."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = {
    "core": "editflow",
    "lsp_server": "editflow_lsp",
    "trainer": "editflow_trainer",
    "tui": "editflow_tui",
}
MODULES = [path for folder in PACKAGES for path in sorted((REPOSITORY / folder).rglob("*.py"))]
MAX_LINES = 400
HEAVY = {"lsprotocol", "numpy", "pygls", "rapidfuzz", "textual", "tokenizers", "torch", "transformers"}

each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))


def imported_packages(source: str) -> set[str]:
    """Top-level packages that the source imports anywhere; a relative import stays in its own package."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_imported_packages_sees_every_form_of_import() -> None:
    source = "import a.b, c as d\nfrom e.f import g\nfrom .h import i\ndef j():\n    from k import l\n"
    assert imported_packages(source) == {"a", "c", "e", "k"}


@each_module
def test_module_stays_in_its_layer(path: Path) -> None:
    own = PACKAGES[path.relative_to(REPOSITORY).parts[0]]
    forbidden = set(PACKAGES.values()) - {own, "editflow"}
    assert not imported_packages(path.read_text("utf-8")) & forbidden


@each_module
def test_module_belongs_to_the_package_of_its_folder(path: Path) -> None:
    folder, package = path.relative_to(REPOSITORY).parts[:2]
    assert package == PACKAGES[folder]


@each_module
def test_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("folder", PACKAGES)
def test_package_is_typed_and_its_folder_explained(folder: str) -> None:
    assert (REPOSITORY / folder / PACKAGES[folder] / "py.typed").exists()
    assert (REPOSITORY / folder / "README.md").exists()


def test_the_command_imports_nothing_heavy() -> None:
    code = "import sys, editflow.cli; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "editflow" in loaded
    assert not loaded & HEAVY
