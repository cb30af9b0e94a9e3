"""Requests, steps and statuses as JSON and back.

Both sides run the same version, so a value is checked only as far as its constructor does. A step carries its hunks
alone and is rebuilt on the request's own document.
"""

from dataclasses import asdict, fields, replace
from pathlib import Path

from editflow.diagnostic import Diagnostic
from editflow.document import Document
from editflow.proposal import Proposal, TextEdit
from editflow.request import Decoder, Request
from editflow.resident.status import EngineStatus, StatusKind
from editflow.resident.wire import Message
from editflow.step import Step


def document_to_json(document: Document) -> Message:
    """All but the bytes, which the text and its encoding give, and the file's fingerprint."""
    path = None if document.path is None else str(document.path)
    names = ("text", "encoding", "bom", "version")
    return {"path": path} | {name: getattr(document, name) for name in names}


def document_from_json(values: Message) -> Document:
    """DocumentError if its encoding cannot hold the text."""
    path = None if values["path"] is None else Path(values["path"])
    document = Document(path, b"", **{name: value for name, value in values.items() if name != "path"})
    return replace(document, data=document.encode(document.text))


def request_to_json(request: Request) -> Message:
    """Every field of a request."""
    values: Message = {field.name: getattr(request, field.name) for field in fields(request)}
    values["document"] = document_to_json(request.document)
    values["reported"] = [asdict(diagnostic) for diagnostic in request.reported]
    if request.diagnostics is not None:
        values["diagnostics"] = [asdict(diagnostic) for diagnostic in request.diagnostics]
    return values


def request_from_json(values: Message) -> Request:
    """KeyError, TypeError or ValueError if it is not what `request_to_json` makes."""
    values = values | {
        "document": document_from_json(values["document"]),
        "reported": tuple(Diagnostic(**diagnostic) for diagnostic in values["reported"]),
        "lines": lines_from_json(values["lines"]),
        "forbidden": tuple((start, end, new) for start, end, new in values["forbidden"]),
    }
    if values["diagnostics"] is not None:
        values["diagnostics"] = tuple(Diagnostic(**diagnostic) for diagnostic in values["diagnostics"])
    if values["decoder"] is not None:
        values["decoder"] = Decoder(values["decoder"])
    return Request(**values)


def lines_from_json(lines: list[int] | None) -> tuple[int, int] | None:
    """A range of lines, or all of them; ValueError if it is neither."""
    if lines is None:
        return None
    first, last = lines
    return first, last


def adapter_to_json(folder: Path | None) -> str | None:
    """Absolute, so that it means the same in any process."""
    return None if folder is None else str(folder.absolute())


def adapter_from_json(folder: str | None) -> Path | None:
    """The folder of an adapter, or none; TypeError or ValueError if it is neither."""
    if folder is None:
        return None
    path = Path(folder)
    if not path.is_absolute():
        raise ValueError("the folder of an adapter is not absolute")
    return path


def step_to_json(step: Step) -> Message:
    """What a step proposes, without the document."""
    return {
        "index": step.index,
        "total": step.total,
        "done": step.done,
        "hunks": _edits(step.proposal),
        "alternatives": [_edits(proposal) for proposal in step.alternatives],
    }


def step_from_json(values: Message, document: Document) -> Step:
    """KeyError, TypeError or ValueError if it is no step over this document."""
    alternatives = tuple(_proposal(document, edits) for edits in values["alternatives"])
    proposal = _proposal(document, values["hunks"])
    return Step(values["index"], values["total"], proposal, values["done"], alternatives)


def status_from_json(values: Message) -> EngineStatus:
    """KeyError, TypeError or ValueError if it is not the JSON of an EngineStatus."""
    return EngineStatus(**(values | {"kind": StatusKind(values["kind"])}))


def _edits(proposal: Proposal) -> list[TextEdit]:
    return [(hunk.start, hunk.end, hunk.new, hunk.confidence) for hunk in proposal.hunks]


def _proposal(document: Document, edits: list[list[int | str | float]]) -> Proposal:
    return Proposal.from_edits(document, [(start, end, new, rate) for start, end, new, rate in edits])  # type: ignore[misc]
