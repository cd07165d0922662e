"""The memory of a process, as psutil reads it."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys

from supervisor import process_memory

UNUSED_PID = 2**22 + 1  # above the largest pid of Linux

SIZE = 64 << 20


def test_a_dead_process_has_no_memory() -> None:
    """Zero for limits, unknown for people."""
    assert process_memory.resident(UNUSED_PID) == 0
    assert process_memory.unique(UNUSED_PID) is None
    assert process_memory.unique_with_children(UNUSED_PID) is None


def test_without_a_descriptor_left_no_memory_is_known() -> None:
    """A watchdog without descriptors does not end it, nor the import of psutil."""
    program = (
        "import os, resource, sys; from supervisor import process_memory as m\n"
        "kept = m.resident(os.getpid()) if 'imported' in sys.argv else None\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "print(m.resident(os.getpid()), m.unique(os.getpid()), m.unique_with_children(os.getpid()))"
    )
    for words in ((), ("imported",)):
        command = [sys.executable, "-c", program, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("0 None None\n", ""), words


def test_shared_pages_are_resident_but_not_unique() -> None:
    """A child that has inherited 64 MiB and wrote to none of it has little of its own."""
    reader, writer = os.pipe()
    with mmap.mmap(-1, SIZE) as shared:
        shared.write(b"x" * SIZE)
        child = os.fork()
        if child == 0:
            sum(shared[:: mmap.PAGESIZE])  # reading maps the pages
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        resident, unique = process_memory.resident(os.getpid()), process_memory.unique(os.getpid())
        os.close(writer)
        os.waitpid(child, 0)
    os.close(reader)
    assert resident > SIZE
    assert unique is not None
    assert unique < resident


def test_psutil_is_imported_by_the_first_question() -> None:
    """A supervisor that never asks does not pay for it."""
    script = (
        "import os, sys; from supervisor import process_memory as m;"
        "before = 'psutil' in sys.modules; m.resident(os.getpid());"
        "print(before, 'psutil' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, timeout=60
    )
    assert done.stdout == b"False True\n"


def test_a_tree_of_processes_is_counted_together() -> None:
    """With children of children: retired code is a supervisor with zygote and workers."""
    inner = "import sys; x = bytearray(32 << 20); print(flush=True); sys.stdin.read()"
    outer = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    with subprocess.Popen(
        [sys.executable, "-c", outer, inner], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tree:
        assert tree.stdout
        tree.stdout.readline()
        alone = process_memory.unique(tree.pid)
        together = process_memory.unique_with_children(tree.pid)
        tree.communicate()
    assert alone is not None
    assert together is not None
    assert together - alone > 32 << 20
