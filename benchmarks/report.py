"""How results are shown and kept: facts and tables as markdown, everything as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def print_facts(facts: Mapping[str, object]) -> None:
    """One list item a fact."""
    print("\n".join(f"- {name}: {value}" for name, value in facts.items()), end="\n\n")


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A markdown table, aligned to the right."""
    print("| " + " | ".join(header) + " |")
    print("|" + " ---: |" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def write_json(path: Path, result: Mapping[str, object]) -> None:
    """Write the whole result, readable by people too."""
    path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
