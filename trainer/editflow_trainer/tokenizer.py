"""Trains the byte-level BPE tokenizer of the model on the corpus.

Text is cut into pieces before merging, so that the places a fix touches are tokens of their own:
a newline with the indentation after it, an operator, a bracket, a quote, a digit. Every text survives
a round trip. The special tokens are in the vocabulary but no text encodes to them.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from editflow.tokens import SPECIAL_TOKENS
from editflow_trainer.corpus import read_functions
from editflow_trainer.sources import SourceFunction

_PIECES = "|".join(
    (
        r"(?:\r?\n)+[ \t]*",  # line ends with the indentation of the next line
        r"[ \t]{2,}",
        r" ?[^\W\d]\w*",  # names and keywords
        r" ?\d",
        r" ?([-=#*~])\1{3,}",  # rulers in comments and docstrings
        r" ?(?:\"\"\"|'''|\.\.\.|->|:=)",
        r" ?(?:\*\*|//|<<|>>|[-+*/%&|^@=!<>])=",
        r" ?(?:\*\*|//|<<|>>)",
        r" ?[^\s\w]",
        r"\s",
    )
)


def train_tokenizer(
    functions: Path, out: Path, *, vocab_size: int = 8192, max_bytes: int = 60_000_000
) -> None:
    """Fits the tokenizer on at most `max_bytes` of a corpus file and writes `out` (tokenizer.json)."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(read_functions(functions), max_bytes), trainer)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_without_added_tokens(tokenizer.to_str()), "utf-8")


def tokens_per_character(tokenizer: Tokenizer, functions: Iterable[SourceFunction]) -> float:
    """How many tokens the tokenizer spends on a character of the functions' own text."""
    texts = [function.text for function in functions]
    tokens = sum(len(encoding) for encoding in tokenizer.encode_batch(texts))
    return tokens / sum(map(len, texts))


def _texts(functions: Iterable[SourceFunction], max_bytes: int) -> Iterator[str]:
    for function in functions:
        text = function.imports + function.header + function.text
        max_bytes -= len(text.encode())
        if max_bytes < 0:
            return
        yield text


def _without_added_tokens(tokenizer: str) -> str:
    """The tokenizer's JSON with its special tokens in the vocabulary only.

    An added token would be matched in text, and the switch against that is not saved with the tokenizer.
    """
    settings = json.loads(tokenizer)
    settings["added_tokens"] = []
    return json.dumps(settings, ensure_ascii=False, indent=1)


def main() -> None:
    """Command line: `python -m editflow_trainer.tokenizer --functions FILE --out FILE`."""
    parser = argparse.ArgumentParser(description=train_tokenizer.__doc__)
    parser.add_argument("--functions", type=Path, required=True, help="functions.jsonl to train on")
    parser.add_argument("--out", type=Path, required=True, help="tokenizer.json to write")
    parser.add_argument("--heldout", type=Path, help="functions.jsonl to measure on")
    options = parser.parse_args()
    train_tokenizer(options.functions, options.out)
    tokenizer = Tokenizer.from_file(str(options.out))
    print(f"{tokenizer.get_vocab_size()} tokens in {options.out}")
    if options.heldout:
        sample = list(islice(read_functions(options.heldout), 2000))
        print(f"{tokens_per_character(tokenizer, sample):.3f} tokens per held-out character")
        print(*(tokenizer.decode([i]) for i in tokenizer.encode(sample[0].text).ids), sep="·")


if __name__ == "__main__":
    main()
