"""The log names errors and places and never what an error says."""

import logging
import subprocess
import sys

import pytest

from editflow.errors import EditFlowError
from editflow.resident.log import log_failure, readable

FAILING = """
import threading
from editflow.resident.log import log_to_stderr

class Untidy:
    def __del__(self):
        raise ValueError("secret")

def fail():
    raise KeyError("secret")

log_to_stderr()
untidy = Untidy()
del untidy
thread = threading.Thread(target=fail)
thread.start()
thread.join()
"""


def test_a_failure_is_its_type_and_its_frames(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    try:
        raise ValueError("secret")
    except ValueError as error:
        log_failure("a job", error)
    assert caplog.messages[0].startswith("a job: ValueError < ")
    assert "secret" not in caplog.text


def test_what_python_prints_by_itself_says_no_more() -> None:

    ran = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True)
    assert "a clean-up: ValueError < " in ran.stderr
    assert "a thread: KeyError < " in ran.stderr
    assert "secret" not in ran.stderr


def test_what_a_person_is_told() -> None:
    assert readable(EditFlowError("do this")) == "do this"
    assert readable(OSError("secret")) == "internal error (OSError)"
