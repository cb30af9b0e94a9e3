"""Colours of the diff pane: component classes in terms of the theme's variables, resolved into one palette."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from editflow.render.heatmap import LEVELS

_PREFIX = "diff--"
_SYNTAX = (
    "comment",
    "constant",
    "function",
    "keyword",
    "number",
    "operator",
    "property",
    "string",
    "tag",
    "type",
)
_ROWS = ("old", "new", "rejected", "stale", "fold", "fill", "gutter", "note")
_WORDS = ("old-word", "new-word", "cursor", "selected", "hit", "hit-now", "heat-1", "heat-2", "heat-3")
_STATES = ("bar", "pending", "accepted", "dropped", "lost", "draft")
NAMES = (*_SYNTAX, *_ROWS, *_WORDS, *_STATES)

COMPONENT_CLASSES = {_PREFIX + name for name in NAMES}

CSS = """
DiffView {
    background: $background;
    color: $foreground;
    overflow-x: auto;
    overflow-y: scroll;
    scrollbar-size: 1 1;

    & > .diff--old { background: $error 14%; }
    & > .diff--new { background: $success 14%; }
    & > .diff--old-word { background: $error 42%; text-style: bold; }
    & > .diff--new-word { background: $success 42%; text-style: bold; }
    & > .diff--rejected { color: $foreground 50%; text-style: dim; }
    & > .diff--stale { color: $text-warning; text-style: strike; }
    & > .diff--fold { color: $foreground 60%; background: $primary 12%; }
    & > .diff--fill { background: $foreground 4%; }
    & > .diff--gutter { color: $foreground 45%; }
    & > .diff--note { color: $text-warning; text-style: italic; }
    & > .diff--cursor { text-style: underline; }
    & > .diff--selected { background: $primary 30%; }
    & > .diff--hit { background: $warning 40%; text-style: underline; }
    & > .diff--hit-now { color: $background; background: $warning; text-style: bold; }
    & > .diff--heat-1 { background: $warning 20%; }
    & > .diff--heat-2 { background: $warning 45%; text-style: underline; }
    & > .diff--heat-3 { background: $error 65%; text-style: bold underline; }
    & > .diff--bar { color: $text-accent; text-style: bold; }
    & > .diff--pending { color: $text-warning; text-style: bold; }
    & > .diff--accepted { color: $text-success; text-style: bold; }
    & > .diff--dropped { color: $text-error; text-style: bold; }
    & > .diff--lost { color: $text-error; text-style: bold; }
    & > .diff--draft { color: $foreground 60%; text-style: italic; }
    & > .diff--comment { color: $foreground 55%; text-style: italic; }
    & > .diff--constant { color: $text-accent; }
    & > .diff--function { color: $text-primary; }
    & > .diff--keyword { color: $text-secondary; text-style: bold; }
    & > .diff--number { color: $text-accent; }
    & > .diff--operator { color: $foreground 85%; }
    & > .diff--property { color: $text-primary; }
    & > .diff--string { color: $text-success; }
    & > .diff--tag { color: $text-secondary; }
    & > .diff--type { color: $text-warning; }
}
DiffView:ansi {
    background: ansi_default;
    color: ansi_default;

    & > .diff--old { color: ansi_red; background: ansi_default; }
    & > .diff--new { color: ansi_green; background: ansi_default; }
    & > .diff--old-word { background: ansi_default; text-style: bold underline; }
    & > .diff--new-word { background: ansi_default; text-style: bold underline; }
    & > .diff--rejected { color: ansi_default; text-style: dim; }
    & > .diff--fold { color: ansi_cyan; background: ansi_default; }
    & > .diff--fill { background: ansi_default; }
    & > .diff--gutter { color: ansi_default; text-style: dim; }
    & > .diff--selected { background: ansi_default; text-style: reverse; }
    & > .diff--hit { color: ansi_black; background: ansi_yellow; }
    & > .diff--hit-now { color: ansi_black; background: ansi_bright_yellow; text-style: bold underline; }
    & > .diff--heat-1 { background: ansi_default; text-style: italic; }
    & > .diff--heat-2 { color: ansi_yellow; background: ansi_default; text-style: underline; }
    & > .diff--heat-3 { color: ansi_red; background: ansi_default; text-style: bold underline reverse; }
    & > .diff--draft { color: ansi_default; text-style: italic; }
    & > .diff--comment { color: ansi_default; text-style: dim italic; }
    & > .diff--operator { color: ansi_default; }
}
"""

_WITHOUT_COLOUR = {
    "old-word": Style(bold=True, underline=True),
    "new-word": Style(bold=True, underline=True),
    "selected": Style(reverse=True),
    "hit": Style(reverse=True),
    "hit-now": Style(reverse=True, bold=True, underline=True),
    "heat-1": Style(italic=True),
    "heat-2": Style(underline=True),
    "heat-3": Style(underline=True, bold=True, reverse=True),
}


@dataclass(frozen=True)
class Palette:
    """A style for each of `NAMES`, to lay over `base`; a flat one has no tints for syntax colours to lie on."""

    base: Style
    styles: Mapping[str, Style]
    flat: bool = False

    def __getitem__(self, name: str) -> Style:
        return self.styles[name]


def palette_of(widget: Widget) -> Palette:
    """The palette of a widget that has `COMPONENT_CLASSES`, in the theme of its app."""
    colourless = widget.app.no_color
    styles = {name: _resolved(widget, name) for name in NAMES}
    if colourless:
        styles |= {name: styles[name] + extra for name, extra in _WITHOUT_COLOUR.items()}
    return Palette(widget.rich_style, styles, flat=colourless or widget.app.native_ansi_color)


def heat_legend(palette: Palette) -> Text:
    """What the steps of the heat overlay mean."""
    least = [level for level, _ in LEVELS][::-1]
    steps = [(f" ≥{value:.0%} ", palette[f"heat-{i}"]) for i, value in enumerate(least, 1)]
    return Text.assemble("suspicion", *steps)


def heat_name(probability: float) -> str | None:
    """The style for a token that is edited with this probability; None below the least step."""
    step = sum(probability >= least for least, _ in LEVELS)
    return f"heat-{step}" if step else None


def _resolved(widget: Widget, name: str) -> Style:
    """A component's own colours over the widget's background, without those that it inherits."""
    styles = widget.get_component_styles(_PREFIX + name)
    _, background = widget.background_colors
    color = background + styles.color if styles.has_rule("color") else None
    behind = background + styles.background if styles.has_rule("background") else None
    colours = Style.from_color(color and color.rich_color, behind and behind.rich_color)
    return colours + styles.text_style
