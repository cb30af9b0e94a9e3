"""EditFlow fixes code by editing it: a model proposes a flow of edits, a person keeps the hunks they want."""

__version__ = "0.1.0"
