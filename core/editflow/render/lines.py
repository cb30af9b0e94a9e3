"""Source text cut into numbered display lines, for views that show a file with marks in it."""

from collections.abc import Collection, Iterable

from rich.text import Text

from editflow.patch import visible

Piece = tuple[str, str, bool]  # text, style, whether it is in the source (and so counts its line ends)
Line = tuple[int, Text]  # 1-based number of the source line it shows, what it shows


def displayed(text: str) -> str:
    """Text for a view that shows no line ends: "\\r\\n" as "\\n", controls made visible."""
    return visible(text.replace("\r\n", "\n"))


def numbered_lines(pieces: Iterable[Piece]) -> list[Line]:
    """Pieces joined and cut at line ends; a source line may take several display lines."""
    lines: list[Line] = []
    number, line = 1, Text()
    for text, style, in_source in pieces:
        first, *others = displayed(text).split("\n")
        line.append(first, style)
        for other in others:
            lines.append((number, line))
            number += in_source
            line = Text().append(other, style)
    return [*lines, (number, line)] if line.plain or not lines else lines


def excerpt(lines: Iterable[Line], wanted: Collection[int]) -> Text:
    """The wanted source lines behind their numbers, with "..." where lines are left out."""
    view = Text()
    last = 0
    for number, line in lines:
        if number not in wanted:
            continue
        if last and number > last + 1:
            view.append("  ...\n", "dim")
        view.append(f"{number:5}  " if number != last else " " * 7, "dim")
        view.append_text(line).append("\n")
        last = number
    return view
