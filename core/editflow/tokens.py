"""The code tokenizer: byte-level BPE read through `tokenizers`, and the special tokens that frame a window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel

SPECIAL_TOKENS = (
    "<pad>",
    "<bos>",
    "<eos>",
    "<placeholder>",
    "<file>",
    "<diagnostic>",
    "<instruction>",
    "<imports>",
    "<scope>",
    "<before>",
    "<edit>",
    "<after>",
    "<reserved0>",
    "<reserved1>",
    "<reserved2>",
    "<reserved3>",
)
"""A token's place is its id."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids with the character range [start, end) that each of them covers."""

    ids: list[int]
    spans: list[tuple[int, int]]


class CodeTokenizer:
    """Text to ids and back; every string of valid Unicode round-trips, and text never becomes a special token."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        for index, token in enumerate(SPECIAL_TOKENS):
            if tokenizer.token_to_id(token) != index:
                raise ValueError(f"tokenizer has no {token} at id {index}")
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer

    @classmethod
    def from_file(cls, path: Path) -> CodeTokenizer:
        """Read a tokenizer.json; ValueError where its special tokens are not ours."""
        return cls(Tokenizer.from_file(str(path)))

    @property
    def size(self) -> int:
        """Number of ids."""
        return self._tokenizer.get_vocab_size()

    def encode(self, text: str) -> Encoding:
        """Ids and character spans of a text."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return Encoding(encoding.ids, encoding.offsets)

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        """Ids of many texts."""
        return [e.ids for e in self._tokenizer.encode_batch(texts, add_special_tokens=False)]

    def token_bytes(self, token: int) -> bytes:
        """The bytes that one token stands for (special tokens have none)."""
        return self._bytes[token]

    def decode(self, ids: list[int]) -> str:
        """Text of ids; UnicodeDecodeError where the bytes are not UTF-8."""
        return b"".join(self._bytes[i] for i in ids).decode("utf-8")

    @cached_property
    def line_ends(self) -> frozenset[int]:
        """Ids whose bytes hold a newline: they end a line for the alignment."""
        return frozenset(i for i, data in enumerate(self._bytes) if b"\n" in data)

    @cached_property
    def _bytes(self) -> list[bytes]:
        byte_of = {character: value for value, character in _byte_characters().items()}
        table: list[bytes] = []
        for index in range(self.size):
            token = self._tokenizer.id_to_token(index) or ""
            table.append(bytes(byte_of[c] for c in token) if index >= len(SPECIAL_TOKENS) else b"")
        return table


def _byte_characters() -> dict[int, str]:
    """The printable character that byte-level BPE writes for each byte (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in set(printable)]
    table = {b: chr(b) for b in printable} | {b: chr(256 + n) for n, b in enumerate(others)}
    if set(table.values()) != set(ByteLevel.alphabet()):
        raise ValueError("byte-level alphabet differs from the tokenizers library")
    return table
