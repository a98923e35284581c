"""Several threads of a server that has just started read their first message at the same moment.

msgspec 0.22 prepares a type when it is first looked at, without a lock: a thread that comes meanwhile reads through a
null pointer, and the whole process is gone. Here each fork is such a first time.
"""

import os
import subprocess
import sys

import pytest

FORKS, THREADS = 40, 8
SCRIPT = """
import os, sys, threading
import msgspec
from lti_tool.protocol.claims import decode_claims

class Inner(msgspec.Struct):
    a: "str | None" = None

class Outer(msgspec.Struct):
    one: "Inner | None" = None
    other: "list[Inner] | None" = None

def unprepared():
    msgspec.json.decode(b'{"one": {"a": "x"}, "other": [{"a": "x"}]}', type=Outer)

def prepared():
    decode_claims(b'{"https://purl.imsglobal.org/spec/lti/claim/context": {"id": "1", "title": "x"}}')

def at_once():
    barrier = threading.Barrier(THREADS)
    def read():
        barrier.wait()
        READ()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=read) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)

ended_well = 0
for _ in range(FORKS):
    child = os.fork()
    if child == 0:
        at_once()
    ended_well += os.waitpid(child, 0)[1] == 0
print(ended_well)
"""


def test_the_first_launches_may_come_at_once() -> None:
    assert ended_well("prepared") == FORKS


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="takes two cores")
def test_that_is_because_types_are_prepared_while_a_module_is_imported() -> None:
    """When this fails, msgspec may have been mended: then the ban in pyproject.toml (TID251) may go."""
    assert any(ended_well("unprepared") < FORKS for _ in range(10))  # on a busy machine they often come one by one


def ended_well(read: str) -> int:
    """How many of FORKS processes outlived THREADS threads that read at once."""
    script = SCRIPT.replace("FORKS", str(FORKS)).replace("THREADS", str(THREADS)).replace("READ()", f"{read}()")
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return int(ran.stdout)
