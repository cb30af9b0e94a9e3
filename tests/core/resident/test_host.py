"""The host in this process, over real sockets: what it answers, whom it refuses, and when it leaves."""

import asyncio
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from editflow import __version__
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.resident import connection, host
from editflow.resident import link as link_module
from editflow.resident.link import LeavingError, Link
from editflow.resident.payloads import document_to_json, request_to_json
from editflow.resident.peer import PeerError
from editflow.resident.place import EngineChoice, listen, place_of
from editflow.resident.wire import WireError, hello, pack, read_message
from editflow.step import Step
from tests.core.resident.fakes import FakeModel, ask, hosting, linked, receive, request

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("runtime")]


def fake(_device: str) -> FakeModel:
    return FakeModel()


def place() -> Path:
    return place_of(EngineChoice()).socket


async def test_a_fix_over_the_wire() -> None:
    async with hosting(fake), linked() as link:
        ask(link, "fix", job=7, request=request_to_json(request()), adapter=None)
        steps = [await receive(link, "step") for _ in range(4)]
        assert [(step["job"], step["index"], step["done"]) for step in steps] == [
            (7, 1, False),
            (7, 2, False),
            (7, 3, False),
            (7, 3, True),
        ]
        assert steps[-1]["hunks"] == [[6, 11, "value", 0.9]]
        assert {step["model"] for step in steps} == {"fake@01234567"}
        document = document_to_json(request().document)
        ask(link, "suspicion", job=8, document=document, lines=[1, 1], adapter=None)
        assert (await receive(link, "spans"))["spans"] == [[6, 11, 0.87]]


async def test_the_hellos() -> None:
    async with hosting(fake):
        reader, writer = await asyncio.open_unix_connection(place())
        writer.write(pack(hello() | {"version": "0.0.1"}))
        answer = await read_message(reader)
        assert answer == {"type": "hello", "protocol": 2, "version": __version__}
        assert await read_message(reader) is None
        writer.close()


async def test_a_client_that_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HELLO_TIMEOUT", 0.05)
    async with hosting(fake):
        reader, writer = await asyncio.open_unix_connection(place())
        assert await read_message(reader) is not None
        assert await read_message(reader) is None
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I", 2**31),
        struct.pack(">I", 4) + b"nope",
        pack({"type": "what"}),
        pack({"type": "fix"}),
        pack({"type": "fix", "job": 1, "request": {}, "adapter": None}),
        pack({"type": "fix", "job": 1, "request": None, "adapter": None}),
        pack({"type": "suspicion", "job": 1, "document": {"path": 3}, "lines": None, "adapter": None}),
        pack({"type": "fix", "job": 1, "request": request_to_json(request())}),
        pack({"type": "fix", "job": 1, "request": request_to_json(request()), "adapter": 3}),
        pack({"type": "fix", "job": 1, "request": request_to_json(request()), "adapter": "a"}),
    ],
    ids=[
        "length",
        "no json",
        "type",
        "no number",
        "no request",
        "null request",
        "document",
        "no adapter",
        "odd adapter",
        "relative adapter",
    ],
)
async def test_a_malformed_message_ends_its_connection_alone(data: bytes) -> None:
    async with hosting(fake), linked() as good, linked() as bad:
        bad.send(data)
        while await bad.read() is not None:
            pass
        ask(good, "fix", job=1, request=request_to_json(request()), adapter=None)
        assert (await receive(good, "step"))["job"] == 1


async def test_a_number_that_is_taken_ends_the_connection() -> None:
    async with hosting(lambda _: FakeModel(pause=0.02)), linked() as link:
        for _ in range(2):
            ask(link, "fix", job=1, request=request_to_json(request(steps=500)), adapter=None)
        while await link.read() is not None:
            pass


async def test_a_text_that_cannot_be_fixed_is_an_error_of_its_job() -> None:
    async with hosting(fake), linked() as link:
        values = request_to_json(request("é"))
        values["document"]["encoding"] = "ascii"
        ask(link, "fix", job=1, request=values, adapter=None)
        assert "cannot be written in ascii" in (await receive(link, "end"))["error"]


async def test_nothing_of_the_text_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with hosting(fake), linked() as link:
        ask(link, "fix", job=1, request=request_to_json(request("unfixable secret = valeu\n")), adapter=None)
        assert (await receive(link, "end"))["error"] == "internal error (ValueError)"
        ask(link, "secret")
        while await link.read() is not None:
            pass
    assert "a job: ValueError < " in caplog.text
    assert "secret" not in caplog.text


async def test_another_users_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_socket: object) -> None:
        raise PeerError("not used")

    async with hosting(fake):
        with monkeypatch.context() as patch:
            patch.setattr(host, "check_peer", refuse)
            with pytest.raises(LeavingError):
                await Link.dial(place())
        with monkeypatch.context() as patch:
            patch.setattr(link_module, "check_peer", refuse)
            with pytest.raises(PeerError):
                await Link.dial(place())


async def test_a_client_that_leaves_cancels_its_jobs() -> None:
    model = FakeModel(pause=0.01)
    async with hosting(lambda _: model), linked() as stays:
        async with linked() as leaves:
            ask(leaves, "fix", job=1, request=request_to_json(request("left", steps=10_000)), adapter=None)
            await receive(leaves, "step")
        ask(stays, "fix", job=1, request=request_to_json(request("stays", steps=2)), adapter=None)
        while not (await receive(stays, "step"))["done"]:
            pass
        assert model.passes.count("left") < 20
        while (await receive(stays, "status"))["status"]["queue"]:
            pass
        ask(stays, "report")
        report = (await receive(stays, "report"))["report"]
        assert (report["jobs"], report["connections"], report["pid"]) == (0, 0, os.getpid())


class Wide(FakeModel):
    """Proposes half a megabyte."""

    def fix(self, request: Request) -> Iterator[Step]:
        proposal = Proposal.from_texts(request.document, "y" * 500_000)
        for step in super().fix(request):
            yield replace(step, proposal=proposal, alternatives=())


async def test_a_slow_reader_misses_steps_but_never_the_end() -> None:
    model = Wide()
    async with hosting(lambda _: model), linked() as link:
        ask(link, "fix", job=1, request=request_to_json(request(steps=60)), adapter=None)
        while len(model.passes) < 60:
            await asyncio.sleep(0.01)
        steps = [await receive(link, "step")]
        while not steps[-1]["done"]:
            steps.append(await receive(link, "step"))
        assert 1 < len(steps) < 20
        assert len(steps[-1]["hunks"][0][2]) == 500_000


async def test_a_client_that_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OVERFULL", 1_000_000)
    async with hosting(lambda _: Wide()) as running, linked() as link:
        for number in range(8):
            ask(link, "fix", job=number, request=request_to_json(request(steps=1)), adapter=None)
        await asyncio.sleep(0)
        while running.report().connections >= 0:
            await asyncio.sleep(0.01)
        ends = 0
        while (message := await link.read()) is not None:
            ends += bool(message.get("done"))
        assert ends < 8


async def test_idle_it_leaves_and_takes_its_socket_along() -> None:
    running = host.Host(fake, idle_exit=0.1)
    serving = asyncio.create_task(running.serve(listen(place())))
    await asyncio.sleep(0)
    async with linked():
        await asyncio.sleep(0.2)
        assert not serving.done()
    left = time.monotonic()
    await asyncio.wait_for(serving, 5)
    assert time.monotonic() - left >= 0.08
    assert not place().exists()


async def test_stopped_it_says_goodbye() -> None:
    async with hosting(fake), linked() as one, linked() as other:
        ask(one, "stop")
        await receive(one, "bye")
        await receive(other, "bye")
        assert await other.read() is None
        assert not place().exists()


async def test_leaving_it_takes_nobody_elses_socket() -> None:
    async with hosting(fake):
        place().unlink()
        replaced = socket.socket(socket.AF_UNIX)
        replaced.bind(str(place()))
    assert place().exists()
    replaced.close()


async def test_hello_of_another_version_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hosting(fake):
        monkeypatch.setattr(connection, "hello", lambda: hello() | {"version": "0.0.9"})
        with pytest.raises(WireError, match=r"EditFlow 0\.0\.9 .* restart the editor and the engine"):
            await Link.dial(place())
