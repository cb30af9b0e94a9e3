"""What hidden lines belong to: the definition that encloses a line, as git says it behind its `@@`."""

import re
from functools import lru_cache

from editflow.document import Document
from editflow_tui.rows import line_count, line_text

DEFINITION = re.compile(
    r"\s*(?:(?:async|export|default|pub|public|private|static) )*"
    r"(?:def|class|fn|func|function|impl|interface|struct|enum|trait)\b"
)
_BACK = 2000  # lines


@lru_cache(maxsize=1024)
def heading(document: Document, line: int) -> str:
    """The nearest definition above a 0-based line that is indented less; empty if none is near."""
    depth = _depth(line_text(document, line)) if line < line_count(document) else 0
    for above in range(line - 1, max(-1, line - 1 - _BACK), -1):
        text = line_text(document, above)
        if depth and DEFINITION.match(text) and _depth(text) < depth:
            return text.strip()
    return ""


def _depth(line: str) -> int:
    """Columns of the indentation."""
    return len(line) - len(line.lstrip())
