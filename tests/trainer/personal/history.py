"""A repository with a believable history: modules of unlike functions that come to read their settings in a new way.

`settings.load(path)` becomes `settings.read(path)`, module by module. When all have changed, people still
add functions written the old way, and a later commit of theirs or of others puts them right, as reviews do. Between
these commits are others that no history foretells. Nothing but the history says that the old way is wrong.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.trainer.mining.history_maker import ENVIRONMENT, git, make

OLD, NEW = r"settings\.load\(((?:[^()]|\([^()]*\))*)\)", r"settings.read(\1)"
MESSAGE, WORDLESS = "Read settings strictly", "Reviewed-by: Grace <grace@example.org>"
HEADER = '''"""{Name} of the shop."""

import logging
from pathlib import Path

from shop import settings

logger = logging.getLogger(__name__)
'''
SETTINGS = '''"""Settings from files of lines such as `key = value`."""

from pathlib import Path


def load(path):
    """Whatever can be read; lines that make no sense are passed over."""
    lines = [line.partition("=") for line in Path(path).read_text("utf-8").splitlines()]
    return {key.strip(): value.strip() for key, sign, value in lines if sign}


def read(path):
    """The same, but a line that makes no sense is an error."""
    for line in Path(path).read_text("utf-8").splitlines():
        if "=" not in line:
            raise ValueError(line)
    return load(path)
'''
NOUNS = (
    "order", "invoice", "parcel", "customer", "refund", "basket", "voucher", "supplier", "shelf", "pallet",
    "courier", "label", "payment", "receipt", "discount", "ledger", "warehouse", "refill", "rating", "catalogue",
)  # fmt: skip
VERBS = (
    "find", "close", "check", "merge", "print", "count", "split", "price", "pack", "weigh", "rank", "archive",
    "book", "notify", "release", "sort", "cancel", "move", "audit", "group", "total", "mark", "scan", "track",
)  # fmt: skip
WORDS = (
    "limit", "region", "colour", "weight", "tax", "currency", "margin", "owner", "status", "batch", "depth",
    "window", "quota", "grade", "delay",
)  # fmt: skip
READS = (
    "options = settings.load({value})",
    "{word} = settings.load({value})[{key}]",
    "{word} = settings.load({value}).get({key}, {number})",
    "options = {{**options, **settings.load({value})}}",
    "for {word}, value in settings.load({value}).items():\n    logger.info('%s is %s', {word}, value)",
    "if not settings.load({value}):\n    return {number}",
    "{word}, options = {number}, settings.load({value})",
    "options.update(settings.load({value}))",
    "if {key} in settings.load({value}):\n    raise KeyError({key})",
    "{word} = sorted(settings.load({value}))",
    "known = [name.lower() for name in settings.load({value})]",
    "{word} = len(settings.load({value})) + {number}",
    "with ({folder} / {key}).open('w') as stream:\n    stream.write(repr(settings.load({value})))",
    "print('reading', {key}, settings.load({value}))",
    "{word} = {number} if debug else int(settings.load({value})[{key}])",
)
PATHS = (
    "{path}", "{path}", "{folder} / {key}", "Path({key})", "'{noun}.conf'", "{folder}.parent / '{noun}.conf'",
    "options[{key}]", "f'{{{folder}}}.{word}'", "f'{{{folder}}}/{noun}.conf'", "{path} or {key}",
    "{folder}.with_suffix('.{word}')",
)  # fmt: skip
OTHERS = (
    "{noun}s = [{noun} for {noun} in {noun}s if {noun}.{word} > {number}]",
    "{noun}s.sort(key=lambda {noun}: {noun}.{word}, reverse=True)",
    "for {noun} in {noun}s:\n    {noun}.{word} += {number}",
    "if len({noun}s) > {number}:\n    raise ValueError({key})",
    "logger.info('{verb} %d of them', len({noun}s))",
    "while {noun}s and {noun}s[-1].{word} < {number}:\n    {noun}s.pop()",
    "{noun}s = {noun}s[:{number}]",
    "try:\n    {noun}s.remove({key})\nexcept ValueError:\n    logger.debug('no {word}')",
    "names = ', '.join(sorted({noun}.{word} for {noun} in {noun}s))",
    "total = sum({noun}.{word} * {number} for {noun} in {noun}s)",
    "{folder}.mkdir(exist_ok=True)",
    "({folder} / '{noun}.txt').write_text(str({noun}s))",
    "assert all({noun}.{word} for {noun} in {noun}s), {key}",
    "print(f'{{len({noun}s)}} {word}s')",
    "first, *{noun}s = {noun}s",
    "if not {noun}s:\n    return {number}",
    "if {path} is None:\n    raise TypeError({key})",
    "if not debug and len({noun}s) == {number}:\n    return None",
    "{word} = max({noun}s, key=lambda {noun}: {noun}.{word})",
    "{word} = min(({noun}.{word} for {noun} in {noun}s), default={number})",
    "late = [{noun} for {noun} in {noun}s if not {noun}.{word}]",
    "by_{word} = {{{noun}.{word}: {noun} for {noun} in {noun}s}}",
    "for index, {noun} in enumerate({noun}s, start={number}):\n    {noun}.{word} = index",
    "if any({noun}.{word} != {number} for {noun} in {noun}s):\n    return {noun}s",
    "{word} = {{{noun}.{word} for {noun} in {noun}s}} - {{{number}}}",
    "{noun}s = list(reversed({noun}s)) or [None]",
    "{word} = {noun}s[0].{word} if {noun}s else {number}",
    "with open({path}, encoding='utf-8') as stream:\n    lines = stream.readlines()",
    "{word} = int(str(debug)[{number}:] or {number})",
)
ENDS = (
    "return {noun}s", "return len({noun}s) * {number}", "return {{{key}: {noun}s}}", "return None",
    "return any({noun}.{word} for {noun} in {noun}s)", "yield from {noun}s", "return {folder} / {key}",
    "return {noun}s[{number}:]", "return max({noun}s, key=len, default={number})",
)  # fmt: skip
SIGNATURES = (
    "def {verb}_{noun}{tail}({noun}s, {folder}, {path}=None, options=(), debug=False):",
    "def {verb}_{noun}{tail}({noun}s, {path}, {folder}=Path(), debug=False, options=None):",
    "def {verb}_{noun}{tail}({folder}, {path}, {noun}s=(), *, debug=False, **options):",
)
FOLDERS = ["folder", "root", "home", "base", "top", "here", "parent"]
FILES = ["path", "file", "conf", "source", "name", "place", "where", "origin"]


@dataclass
class Module:
    """Functions by name, in the order of the file."""

    name: str
    functions: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The file."""
        return "\n\n".join([HEADER.format(Name=f"{self.name.title()}s"), *self.functions.values()])


class Shop:
    """A working tree that changes commit by commit."""

    def __init__(self, seed: int, modules: int, functions: int) -> None:
        self.rng = random.Random(seed)
        self.modules = [Module(noun) for noun in NOUNS[:modules]]
        for module in self.modules:
            for number in range(functions):
                self.add(module, reads=number % 3 > 0)

    def begin(self) -> Module:
        """A new module, whose author does not know the convention."""
        name = f"{self.rng.choice(NOUNS)}_{self.rng.choice(WORDS)}"
        if any(module.name == name for module in self.modules):
            return self.begin()
        self.modules.append(module := Module(name))
        for number in range(6):
            self.add(module, reads=number % 2 > 0)
        return module

    def add(self, module: Module, *, reads: bool) -> None:
        """Add a function in the old way."""
        text = self.function(module.name.partition("_")[0], reads=reads)
        module.functions[text.partition("(")[0].removeprefix("def ")] = text

    def function(self, noun: str, *, reads: bool) -> str:
        """A function nobody wrote before."""
        rng = self.rng
        lines = [rng.choice(OTHERS) for _ in range(rng.randint(0, 3))]
        if reads:
            lines.insert(rng.randint(0, len(lines)), rng.choice(READS))
        blanks = {"noun": noun, "folder": rng.choice(FOLDERS), "path": rng.choice(FILES)}
        blanks["tail"] = f"_{rng.choice(WORDS)}" if rng.random() < 0.6 else ""
        body = [self.fill(line, **blanks).replace("\n", "\n    ") for line in [*lines, rng.choice(ENDS)]]
        return "\n    ".join([self.fill(rng.choice(SIGNATURES), **blanks), *body]) + "\n"

    def fill(self, line: str, **blanks: str) -> str:
        """A line with its blanks filled in, those that are not given at random."""
        rng = self.rng
        filled = {
            "verb": rng.choice(VERBS),
            "word": rng.choice(WORDS),
            "key": repr(rng.choice(WORDS)),
            "number": str(rng.randint(2, 99)),
            **blanks,
        }
        if "{value}" in line:
            filled["value"] = rng.choice(PATHS).format(**filled)
        return line.format(**filled)

    def change(self) -> str:
        """Change something that no history foretells; what the commit says."""
        rng, module = self.rng, self.rng.choice(self.modules)
        noun, name = module.name.partition("_")[0], rng.choice(list(module.functions))
        first, *rest = module.functions[name].splitlines(keepends=True)
        numbers = list(re.finditer(r"\b\d+\b", text := "".join(rest)))
        if numbers and rng.random() < 0.4:
            place = rng.choice(numbers)
            rest = [text[: place.start()], str(rng.randint(2, 99)), text[place.end() :]]
        else:
            rest.insert(0, f"    print({rng.choice(WORDS)!r}, options)\n")
        module.functions[name] = "".join([first, *rest])
        return self.fill(rng.choice(("Show {verb}ing of {noun}s", "Mind the {word} of {noun}s")), noun=noun)

    def put_right(self, module: Module, names: Sequence[str]) -> None:
        """Let functions read their settings in the new way."""
        for name in names:
            module.functions[name] = strictly(module.functions[name])

    def reading(self, module: Module) -> list[str]:
        """The functions that still read them in the old way."""
        return [name for name, text in module.functions.items() if re.search(OLD, text)]


def strictly(text: str) -> str:
    """The text with the convention kept."""
    return re.sub(OLD, NEW, text)


def grow(shop: Shop, additions: int) -> Iterator[str]:
    """The messages of the commits, one after each change; the last of them leave nothing in the old way."""
    yield "Begin the shop"
    for module in shop.modules:
        while names := shop.reading(module):
            shop.put_right(module, names[:3])
            yield MESSAGE
            yield shop.change()
    for _ in range(additions):
        module = shop.begin()
        yield f"Add {module.name}"
        if shop.rng.random() < 0.4:
            yield shop.change()
        shop.put_right(module, shop.reading(module))
        yield shop.rng.choice((MESSAGE, WORDLESS))


def write_history(
    folder: Path, *, seed: int = 0, modules: int = 10, functions: int = 6, additions: int = 30
) -> Shop:
    """Make a repository; its last state."""
    shop = Shop(seed, modules, functions)
    stream = b"".join(_commit(number, message, shop) for number, message in enumerate(grow(shop, additions)))
    make(folder)
    command = ["git", "-C", str(folder), "fast-import", "--quiet"]
    subprocess.run(command, input=stream, env=ENVIRONMENT, check=True)
    git(folder, "reset", "--quiet", "--hard", "main")
    return shop


def _commit(number: int, message: str, shop: Shop) -> bytes:
    """What git's fast-import reads: one commit, an hour after the one before, with all files anew."""
    who = f"Ada <ada@example.org> {1_600_000_000 + 3600 * number} +0000"
    files = {"shop/settings.py": SETTINGS} | {
        f"shop/{module.name}s.py": module.text for module in shop.modules
    }
    parts = [f"commit refs/heads/main\ncommitter {who}\n", _data(message)]
    parts += [f"M 100644 inline {name}\n{_data(text)}" for name, text in files.items()]
    return "".join(parts).encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
