"""Progress is begun once the client has taken its token, never falls, and is ended once."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport
from pygls.exceptions import JsonRpcInternalError

from editflow_lsp.progress import Progress
from tests.lsp_server.simulation import MODEL, SimulatedEditor, settle

pytestmark = pytest.mark.asyncio


class Client(SimulatedEditor):
    """An editor that takes a token when it is told to, or refuses it."""

    def __init__(self) -> None:
        super().__init__("")
        self.tokens: list[str] = []
        self.decided: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def create_progress(self, token: str) -> None:
        self.tokens.append(token)
        await self.decided

    def kinds(self) -> list[str]:
        return [value.kind for value in self.progress]


async def test_a_token_of_the_client_is_begun_at_once() -> None:
    client = Client()
    progress = Progress(client, "theirs", supported=False)
    assert (progress.token, client.tokens, client.kinds()) == ("theirs", [], ["begin"])
    assert client.progress == [WorkDoneProgressBegin(title="Edit Flow", cancellable=True, percentage=0)]


async def test_a_token_of_ours_is_begun_when_the_client_has_taken_it() -> None:
    client = Client()
    progress = Progress(client, None, supported=True)
    await settle()
    progress.report(1, 8, MODEL)
    assert client.progress == []
    client.decided.set_result(None)
    await settle()
    progress.report(2, 8, MODEL)
    progress.end("1 hunk")
    assert client.tokens == [progress.token]
    assert client.kinds() == ["begin", "report", "end"]
    assert client.progress[-1] == WorkDoneProgressEnd(message="1 hunk")


async def test_a_client_that_refuses_or_is_late_is_shown_nothing() -> None:
    refusing, late = Client(), Client()
    for client in (refusing, late):
        progress = Progress(client, None, supported=True)
        await settle()
        if client is refusing:
            client.decided.set_exception(JsonRpcInternalError())
            await settle()
        progress.report(1, 8, MODEL)
        progress.end("")
    late.decided.set_result(None)
    await settle()
    assert refusing.progress == late.progress == []


async def test_without_support_nothing_is_asked_for() -> None:
    client = Client()
    progress = Progress(client, None, supported=False)
    await settle()
    progress.report(1, 8, MODEL)
    progress.end("")
    assert (client.tokens, client.progress) == ([], [])


async def test_the_percentage_never_falls_and_is_not_100_before_the_end() -> None:
    client = Client()
    progress = Progress(client, 0, supported=True)
    for step, total in ((1, 4), (3, 8), (3, 32), (0, 0), (4, 8), (8, 8), (9, 8)):
        progress.report(step, total, None)
    reports = [value for value in client.progress if isinstance(value, WorkDoneProgressReport)]
    assert [report.percentage for report in reports] == [25, 37, 37, 37, 50, 99, 99]


async def test_after_the_end_nothing_is_said() -> None:
    client = Client()
    progress = Progress(client, 0, supported=True)
    progress.end("done")
    progress.end("done")
    progress.report(1, 8, MODEL)
    assert client.kinds() == ["begin", "end"]
