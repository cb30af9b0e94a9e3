"""Hosts as processes of their own: started once, killed, restarted, and gone when nobody needs them."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from editflow.adapters.adapter import Adapter
from editflow.checkpoint import Checkpoint
from editflow.document import Document
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.resident import client as client_module
from editflow.resident import launch
from editflow.resident.adapted import AdaptedModels
from editflow.resident.client import EngineChoice, ResidentEngine, StatusKind
from editflow.resident.control import ask_all
from editflow.resident.launch import claim, reach_daemon
from editflow.resident.link import LeavingError, Link, LinkError
from editflow.resident.place import place_of
from editflow.resident.report import Report
from tests import trained
from tests.core.resident.fakes import request, write_fake_adapter
from tests.core.resident.test_client import Surface, steps_of

pytestmark = pytest.mark.asyncio

REPOSITORY = Path(__file__).parents[3]


async def the_only_host() -> Report:
    (report,) = await ask_all()
    assert isinstance(report, Report)
    return report


async def gone(pid: int, seconds: float = 10.0) -> float:
    """Seconds until no process has this id; a zombie is none."""
    started = time.monotonic()
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text("ascii"):
        assert time.monotonic() - started < seconds
        await asyncio.sleep(0.02)
    return time.monotonic() - started


async def test_windows_that_open_at_once_share_one_engine(fake_hosts: Path) -> None:
    async with Surface() as one, Surface() as two, Surface() as three:
        surfaces = (one, two, three)
        results = await asyncio.gather(*(steps_of(each.engine.start(request())) for each in surfaces))
        assert all(steps[-1].proposal.text == "print(value)\n" for steps in results)
        report = await the_only_host()
        assert (report.connections, report.model) == (3, "fake@01234567")
    log = place_of(EngineChoice()).log
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert log.read_text("ascii").count("started") == 1


async def test_a_killed_host_fails_its_job_and_the_next_one_starts_it(fake_hosts: Path) -> None:
    async with Surface() as surface:
        job = surface.engine.start(request(steps=10_000))
        async for _ in job:
            break
        pid = (await the_only_host()).pid
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EditFlowError, match=f"^{client_module.STOPPED}$"):
            await steps_of(job)
        assert (await surface.until(StatusKind.warning)).message == client_module.RESTARTS
        assert (await steps_of(surface.engine.start(request())))[-1].done
        assert (await the_only_host()).pid != pid


async def test_a_host_that_keeps_crashing_is_left_alone(fake_hosts: Path) -> None:
    async with Surface() as surface:
        await surface.engine.warm()
        await surface.until(StatusKind.ready)
        for _ in range(2):
            surface.engine._crashes.record()
        os.kill((await the_only_host()).pid, signal.SIGKILL)
        told = await surface.until(StatusKind.error)
        assert str(place_of(EngineChoice()).log) in told.message
        with pytest.raises(EditFlowError, match="tried again after 30 s"):
            await steps_of(surface.engine.start(request()))
        assert await ask_all() == []


async def test_a_host_that_ends_as_it_starts_is_an_error_that_names_the_log(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "host_command", lambda _: [sys.executable, "-c", "raise SystemExit('why')"])
    async with Surface() as surface:
        await surface.engine.warm()
        log = place_of(EngineChoice()).log
        assert surface.told[-1].kind is StatusKind.error
        assert surface.told[-1].message == f"the engine ended as it started: see {log}"
        assert "why" in log.read_text("ascii")


async def test_a_host_that_never_listens_is_ended(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    detached = launch._detached

    def remember(*arguments: object) -> subprocess.Popen[bytes]:
        started.append(detached(*arguments))  # type: ignore[arg-type]
        return started[-1]

    monkeypatch.setattr(launch, "_detached", remember)
    monkeypatch.setattr(launch, "START_TIMEOUT", 0.2)
    code = "import time; time.sleep(60)"
    monkeypatch.setattr(launch, "host_command", lambda _: [sys.executable, "-c", code])
    with pytest.raises(LinkError, match="did not start within"):
        await reach_daemon(EngineChoice())
    await gone(started[0].pid)


async def test_a_dead_socket_is_replaced(fake_hosts: Path) -> None:
    path = place_of(EngineChoice()).socket
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with Surface() as surface:
        assert (await steps_of(surface.engine.start(request())))[-1].done


async def test_a_host_that_is_just_leaving_is_asked_again(
    fake_hosts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial, calls = Link.dial, []

    async def leaving_first(path: Path) -> Link | None:
        calls.append(path)
        if len(calls) == 1:
            raise LeavingError("the engine hung up: try again")
        return await dial(path)

    monkeypatch.setattr(Link, "dial", leaving_first)
    link = await reach_daemon(EngineChoice())
    await link.close()
    assert len(calls) >= 3


async def test_only_one_can_claim_the_place(fake_hosts: Path) -> None:
    place = place_of(EngineChoice())
    link = await reach_daemon(EngineChoice())
    with pytest.raises(LinkError, match="runs already"):
        await claim(place)
    await link.close()


async def test_a_log_that_grew_long_is_begun_anew(fake_hosts: Path) -> None:
    log = place_of(EngineChoice()).log
    log.parent.mkdir(parents=True)
    log.write_bytes(b"x" * (launch.LONGEST_LOG + 1))
    await (await reach_daemon(EngineChoice())).close()
    assert log.stat().st_size < 1000


async def test_told_to_end_it_leaves_in_the_middle_of_a_pass(
    fake_hosts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_PAUSE", "60")
    async with Surface() as surface:
        job = surface.engine.start(request())
        await surface.until(StatusKind.busy)
        pid = (await the_only_host()).pid
        os.kill(pid, signal.SIGTERM)
        with pytest.raises(EditFlowError, match="started again"):
            await steps_of(job)
        assert await gone(pid) < 5


class TestPrivate:
    async def test_it_serves_its_parent_and_ends_with_it(self, fake_hosts: Path) -> None:
        async with Surface(daemon=False) as surface:
            assert (await steps_of(surface.engine.start(request())))[-1].done
            assert await ask_all() == []
            (child,) = children_of(os.getpid(), "fake_host.py")
        await gone(child, 1)

    async def test_one_that_ends_as_it_starts_is_an_error(
        self, runtime: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(launch, "host_command", lambda _: [sys.executable, "-c", ""])
        async with Surface(daemon=False) as surface:
            await surface.engine.warm()
            assert surface.told[-1].message == "the engine ended as it started: see standard error"

    async def test_its_messages_go_where_they_are_wanted(self, fake_hosts: Path, tmp_path: Path) -> None:
        log = tmp_path / "deep" / "engine.log"
        async with Surface(daemon=False, log=log) as surface:
            assert (await steps_of(surface.engine.start(request())))[-1].done
        assert "loaded" in log.read_text()
        assert log.stat().st_mode & 0o777 == 0o600

    async def test_without_unix_sockets_it_is_what_there_is(
        self, fake_hosts: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client_module, "daemon_possible", lambda: False)
        async with Surface() as surface:
            assert (await steps_of(surface.engine.start(request())))[-1].done
            assert await ask_all() == []

    async def test_killed_it_is_started_again(self, fake_hosts: Path) -> None:
        async with Surface(daemon=False) as surface:
            job = surface.engine.start(request(steps=10_000))
            await surface.until(StatusKind.busy)
            os.kill(children_of(os.getpid(), "fake_host.py")[0], signal.SIGKILL)
            with pytest.raises(EditFlowError, match=client_module.STOPPED):
                await steps_of(job)
            assert (await steps_of(surface.engine.start(request())))[-1].done

    async def test_it_dies_with_a_parent_that_is_killed(self, fake_hosts: Path) -> None:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(Path(__file__).with_name("fake_host.py"))],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert parent.stdout is not None
        assert parent.stdout.readline() == "working\n"
        (child,) = children_of(parent.pid, "fake_host.py")
        parent.kill()
        parent.wait()
        parent.stdout.close()
        await gone(child)


PARENT = """
import asyncio, sys
from editflow.resident import launch
from editflow.resident.adapted import AdaptedModels
from editflow.resident.client import EngineChoice, ResidentEngine
from tests import trained
from tests.core.resident.fakes import request, write_fake_adapter

launch.host_command = lambda choice: [sys.executable, sys.argv[1]]

async def main():
    engine = ResidentEngine(EngineChoice(), daemon=False)
    async for _ in engine.start(request(steps=10_000)):
        print("working", flush=True)

asyncio.run(main())
"""


def children_of(pid: int, name: str) -> list[int]:
    """Processes started by `pid` that have `name` in their command line."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    ids = [int(child) for thread in threads for child in (thread / "children").read_text("ascii").split()]
    return [child for child in ids if name in Path(f"/proc/{child}/cmdline").read_text()]


async def test_neither_side_imports_torch_before_it_must() -> None:
    modules = "editflow.resident.client, editflow.resident.process"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


async def test_a_module_in_the_current_folder_is_not_imported(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')\n", "ascii")
    monkeypatch.chdir(tmp_path)
    for daemon in (True, False):
        engine = ResidentEngine(EngineChoice(), daemon=daemon, on_status=print)
        link = await engine._connected()
        assert link is not None
        await engine.close()


async def test_a_path_that_is_taken_is_told_in_one_line(fake_hosts: Path, tmp_path: Path) -> None:
    taken = tmp_path / "a.sock"
    taken.write_bytes(b"")
    command = [*launch.host_command(EngineChoice()), "--socket", str(taken)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, f"editflow: {taken}: Address already in use\n")


async def test_adapters_are_swapped_in_a_running_host(fake_hosts: Path, tmp_path: Path) -> None:
    one, other = (write_fake_adapter(tmp_path / right, right).folder for right in ("worth", "val"))
    async with Surface() as surface:
        found = []
        for adapter in (None, one, other, None):
            job = surface.engine.start(request(), adapter)
            found.append(((await steps_of(job))[-1].proposal.hunks[0].new, job.model))
        assert await surface.engine.suspicion(request().document, adapter=one)
    base = "fake@01234567"
    names = (base, *(f"{base}+{Adapter.read(folder).name}" for folder in (one, other)), base)
    assert found == list(zip(("value", "worth", "val", "value"), names, strict=True))
    assert place_of(EngineChoice()).log.read_text("ascii").count(" loaded ") == 1


@pytest.mark.slow
async def test_a_running_daemon_swaps_adapters_of_the_shipped_model_and_loads_it_once(
    runtime: Path, tmp_path: Path
) -> None:
    asked = Request(Document.read(REPOSITORY / "examples" / "buggy.py"))
    moved = trained.weights()
    nothing = trained.write(tmp_path / "a", "a" * 40, moved, insert_intercept=-50.0)
    no_substitution = trained.write(tmp_path / "b", "a" * 40, moved, substitute_intercept=-50.0)
    found, names = [], []
    async with Surface() as surface, asyncio.timeout(240):
        for adapter in (None, nothing.folder, no_substitution.folder, None):
            job = surface.engine.start(asked, adapter)
            steps = [step async for step in job]
            found.append([hunk.new for hunk in steps[-1].proposal.hunks])
            names.append(job.model)
    assert found == [[":", "word"], [], [":"], [":", "word"]]  # the colon is found first
    base = Checkpoint.open("default").name
    assert names == [base, f"{base}+{nothing.name}", f"{base}+{no_substitution.name}", base]
    log = place_of(EngineChoice()).log.read_text("ascii")
    assert (log.count(" loaded "), log.count(" adapted: ")) == (1, 2)


@pytest.mark.slow
async def test_a_swap_takes_a_moment(tmp_path: Path) -> None:
    engine, folder = Engine.load(device="cpu"), tmp_path / "a"
    trained.write(folder, "a" * 40, trained.weights())
    seconds, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)  # several wait for each other, in turns of a machine that is busy
    for _ in range(5):
        started = time.thread_time()  # on the clock it takes longer, too
        AdaptedModels().of(engine, folder)
        seconds.append(time.thread_time() - started)
    torch.set_num_threads(threads)
    assert min(seconds) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("daemon", [True, False], ids=["daemon", "private"])
async def test_the_shipped_model_in_a_process_of_its_own(runtime: Path, daemon: bool) -> None:
    asked = Request(Document.read(REPOSITORY / "examples" / "buggy.py"))
    async with Surface(daemon=daemon) as surface, asyncio.timeout(60):
        steps = [step async for step in surface.engine.start(asked)]
        assert [hunk.new for hunk in steps[-1].proposal.hunks] == [":", "word"]
        assert (await surface.until(StatusKind.ready)).model == Checkpoint.open("default").name
        assert await surface.engine.suspicion(asked.document)
