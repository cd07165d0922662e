"""Tasks that harm their worker, in real processes: executions end as if they had not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.processes.harness import LIMIT, ROOT, Supervisor, environment, local_swf, until


def test_no_harm_of_a_task_outlives_it() -> None:
    """Nothing is done again, no worker dies, and the one bad task fails with its exception."""
    argv = ("--flow", "tests.processes.tasks_that_harm", "--local", "--once", "--start", "{}")
    ran = subprocess.run(
        [sys.executable, "-m", "supervisor", *argv],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    log = ran.stdout + ran.stderr
    assert ran.returncode == 1, log
    assert "looking-1 completed" in log
    assert "cancelled-1 failed" in log
    assert "harms_cancelled-1 failed after 1 attempt: odd" in log
    assert "raised RuntimeError: only in the child. It ends here" in log
    assert "activity harms_changing changed the handler of SIGTERM, the current folder" in log
    assert "died" not in log
    assert log.count("no longer has the task") == 0


TEMPORARY = """
import sys, tempfile
from garcon import activity, runner, task

domain, name = "shop", "orders"
FOLDER = tempfile.TemporaryDirectory()
print("folder:", FOLDER.name, file=sys.stderr)

@task.decorate(timeout=20)
def work():
    return {}

make = activity.create(domain, name)(name="make", run=runner.Sync(work.fill()))
"""


def test_a_temporary_folder_of_the_import_goes_with_its_generation(tmp_path: Path) -> None:
    """It stays while workers of the generation may use it, and is removed by a retired zygote."""
    (tmp_path / "temporary.py").write_text(TEMPORARY)
    with (
        local_swf("--poll-seconds", "1") as endpoint,
        Supervisor(
            *("--flow", "temporary", "--endpoint-url", endpoint, "--probation", "0.1"),
            PYTHONPATH=str(tmp_path),
            GARCON_MIN_UPTIME="0.1",
        ) as supervisor,
    ):
        folder = supervisor.err.wait_for(lambda line: "folder:" in line, "folder").split()[-1]
        supervisor.ready()
        assert Path(folder).is_dir()
        supervisor.signal(signal.SIGHUP)
        supervisor.wait_for("generation_active", generation=2)
        until(lambda: not Path(folder).exists(), "the end of the first generation's folder")
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0
