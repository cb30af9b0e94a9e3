"""A guess at a repository's licence, from the file at the top of its newest commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from editflow_trainer.mining.blobs import Blobs
from editflow_trainer.mining.git import ask

_FILE = re.compile(r"(licen[cs]e|copying|unlicense)([.-][\w.-]*)?", re.IGNORECASE)
_GUESSES = (
    ("AGPL-3.0", r"GNU AFFERO GENERAL PUBLIC LICENSE"),
    ("LGPL", r"GNU (LESSER|LIBRARY) GENERAL PUBLIC LICENSE"),
    ("GPL-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("GPL-2.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 2"),
    ("Apache-2.0", r"Apache License\s+Version 2\.0"),
    ("MPL-2.0", r"Mozilla Public License,?\s+v(ersion|\.)\s+2\.0"),
    ("PSF-2.0", r"PYTHON SOFTWARE FOUNDATION LICENSE"),
    ("Unlicense", r"This is free and unencumbered software released into the public domain"),
    ("ISC", r"Permission to use, copy, modify, and(/or)? distribute this software"),
    ("MIT", r"Permission is hereby granted, free of charge"),
    ("BSD-3-Clause", r"Redistributions of source code must(?s:.*)(endorse or promote|specific prior)"),
    ("BSD-2-Clause", r"Redistributions of source code must"),
)


@dataclass(frozen=True, slots=True)
class Licence:
    """Both are "" where nothing was found."""

    file: str
    guess: str  # an SPDX identifier, by the text's own words


def find_licence(repository: Path, head: str, blobs: Blobs) -> Licence:
    """The first file with a licence's name whose text is known, or else the first with such a name."""
    first = Licence("", "")
    for entry in ask(repository, "ls-tree", "-z", head).split(b"\0"):
        header, _, path = entry.decode("utf-8", "replace").partition("\t")
        if _FILE.fullmatch(path) and header.split()[1] == "blob":
            guess = guess_licence(str(blobs.read([header.split()[2]])[0]))
            if guess:
                return Licence(path, guess)
            first = first if first.file else Licence(path, "")
    return first


def guess_licence(text: str) -> str:
    """The identifier of the licence that a text holds, or ""."""
    text = " ".join(text.split())
    found = (name for name, pattern in _GUESSES if re.search(pattern, text, re.IGNORECASE))
    return next(found, "")
