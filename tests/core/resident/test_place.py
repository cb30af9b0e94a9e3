"""Where an engine is found, and that nobody else's folder, path or process is taken for it."""

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from editflow import checkpoint
from editflow.resident import peer, place
from editflow.resident.peer import PeerError, check_peer
from editflow.resident.place import EngineChoice, PlaceError, listen, place_of, runtime_folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / checkpoint.WEIGHTS).write_bytes(b"weights")
    return folder


def test_one_place_for_each_model_and_device(runtime: Path, weights: Path) -> None:
    places = [place_of(EngineChoice(model, "cpu")) for model in ("default", str(weights))]
    places += [place_of(EngineChoice(str(weights), "auto"))]
    assert len({one.socket for one in places}) == 3
    assert places[1] == place_of(EngineChoice(str(weights / ".." / "model"), "cpu"))
    assert all(one.socket.parent == one.lock.parent == runtime for one in places)


def test_other_weights_are_another_engine(runtime: Path, weights: Path) -> None:
    before = EngineChoice(str(weights)).identity
    (weights / checkpoint.WEIGHTS).write_bytes(b"others")
    assert EngineChoice(str(weights)).identity != before


@pytest.mark.parametrize(("name", "other"), [("__version__", "9.9.9"), ("sys.prefix", "/elsewhere")])
def test_another_installation_is_another_engine(
    name: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = EngineChoice().identity
    monkeypatch.setattr(f"editflow.resident.place.{name}", other)
    assert EngineChoice().identity != before


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match=r"no checkpoint at .*none: name a folder"):
        _ = EngineChoice(str(tmp_path / "none")).identity


def test_the_folder_is_made_for_its_user_alone(runtime: Path) -> None:
    assert runtime_folder() == runtime
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert runtime_folder() == runtime


def test_a_folder_that_others_may_enter_is_refused(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    for mode in (0o750, 0o701):
        runtime.chmod(mode)
        with pytest.raises(PlaceError, match="chmod 700"):
            runtime_folder()
    runtime.chmod(0o700)


def test_a_link_or_a_file_in_its_place_is_refused(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    runtime.symlink_to(tmp_path / "other")
    with pytest.raises(PlaceError, match="not a folder of this user"):
        runtime_folder()
    runtime.unlink()
    runtime.write_bytes(b"")
    with pytest.raises(PlaceError, match="cannot be made"):
        runtime_folder()
    runtime.unlink()


def test_a_folder_of_somebody_else_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.mkdir(mode=0o700)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: runtime.stat().st_uid + 1)
        with pytest.raises(PlaceError, match="not a folder of this user"):
            runtime_folder()


def test_too_long_a_path_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
        with pytest.raises(PlaceError, match="set XDG_RUNTIME_DIR to a shorter"):
            place_of(EngineChoice())


def test_without_a_runtime_folder_of_the_system_nothing_is_printed(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "user_runtime_path", warning_path(runtime))
    assert runtime_folder() == runtime


def warning_path(path: Path) -> object:
    import warnings

    def user_runtime_path(_name: str) -> Path:
        warnings.warn("XDG_RUNTIME_DIR is not set", RuntimeWarning, stacklevel=2)
        return path

    return user_runtime_path


def test_the_socket_is_its_users_alone(runtime: Path) -> None:
    path = place_of(EngineChoice()).socket
    with listen(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(PlaceError, match="in use"):
            listen(path)


class TestPeer:
    def test_this_user_is_accepted(self) -> None:
        near, far = socket.socketpair()
        with near, far:
            check_peer(near)

    def test_another_user_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        near, far = socket.socketpair()
        monkeypatch.setattr(peer, "peer_uid", lambda _: os.getuid() + 1)
        with near, far, pytest.raises(PeerError, match="not used"):
            check_peer(near)

    def test_macos_answers_in_its_own_form(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Mac:
            def getsockopt(self, level: int, name: int, size: int, /) -> bytes:
                assert (level, name) == (0, 1)
                return (0).to_bytes(4, sys.byteorder) + (501).to_bytes(4, sys.byteorder) + bytes(size - 8)

        monkeypatch.setattr(sys, "platform", "darwin")
        assert peer.peer_uid(Mac()) == 501

    def test_a_system_that_does_not_tell_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        near, far = socket.socketpair()
        monkeypatch.setattr(sys, "platform", "sunos5")
        with near, far, pytest.raises(PeerError, match="--no-daemon"):
            peer.peer_uid(near)
