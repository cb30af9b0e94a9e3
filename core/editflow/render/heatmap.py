"""Where the model suspects an edit is due: tokens coloured by probability, or the likeliest ones as lines."""

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from editflow.document import Document
from editflow.render.lines import Piece, excerpt, numbered_lines

Span = tuple[int, int, float]  # characters start:end of the document, probability that an edit is due

LEVELS = ((0.5, "bold white on red"), (0.2, "black on dark_orange"), (0.05, "black on light_goldenrod1"))
MOST = 10  # spans that the plain form lists


def coloured_heatmap(document: Document, spans: Iterable[Span]) -> Text:
    """The lines that the spans cover, each token on the colour of its probability, under a legend."""
    spans = sorted(spans)
    legend = Text.assemble(*((f" >= {least:.2f} ", style) for least, style in LEVELS), "\n")
    return legend.append_text(
        excerpt(numbered_lines(_pieces(document.text, spans)), _lines_of(document, spans))
    )


def plain_heatmap(document: Document, spans: Iterable[Span]) -> Iterator[str]:
    """The most suspicious spans, likeliest first: `12:5-12:9 0.87 'valeu'`, columns 1-based and inclusive."""
    suspects = [span for span in spans if span[2] >= LEVELS[-1][0]]
    for start, end, probability in sorted(suspects, key=lambda span: -span[2])[:MOST]:
        last = max(start, end - 1)
        places = f"{_place(document, start)}-{_place(document, last)}"
        yield f"{places} {probability:.2f} {document.text[start:end]!r}"
    if not suspects:
        yield "nothing suspicious"


def _place(document: Document, offset: int) -> str:
    line = document.line_of(offset)
    return f"{line + 1}:{offset - document.line_starts[line] + 1}"


def _pieces(text: str, spans: Sequence[Span]) -> Iterator[Piece]:
    at = 0
    for start, end, probability in spans:
        yield text[at:start], "", True
        yield text[start:end], _style(probability), True
        at = end
    yield text[at:], "", True


def _style(probability: float) -> str:
    return next((style for least, style in LEVELS if probability >= least), "")


def _lines_of(document: Document, spans: Sequence[Span]) -> frozenset[int]:
    lines = ((document.line_of(start), document.line_of(max(start, end - 1))) for start, end, _ in spans)
    return frozenset(number + 1 for first, last in lines for number in range(first, last + 1))
