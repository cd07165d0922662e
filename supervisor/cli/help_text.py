"""Texts of ``--help`` around the options: usage, commands, exit codes, signals.

Lines have at most 79 characters: an 80-column terminal shows them unbroken.
"""

from __future__ import annotations

COMMANDS = {
    "status": "show generations, pools and workers",
    "top": "show them live",
    "tasks": "show the tasks in progress",
    "stacks": "show the stack traces of a worker",
    "logs": "show recent log lines, or follow them",
    "scale": "change the number of workers of a task list",
    "restart": "replace all workers by new ones with the current code",
    "recycle": "replace one worker by a new one",
    "drain": "finish the tasks in progress, and exit",
    "quiet": "stop polling, and keep running",
    "resume": "poll again",
    "stop": "exit now; tasks in progress are abandoned",
}
"""The commands to a running supervisor."""

UNIT = "unit"
"""The command that prints a systemd unit."""

COMPLETION = "completion"
"""The command that prints a script for a shell."""

HEADINGS = {
    "flow": "flow",
    "workers": "pool sizes",
    "control": "commands, deploys and drains",
    "ec2": "EC2 instances",
    "cancel_grace": "tasks and workers that go wrong",
    "sticky": "decisions",
    "log_level": "log",
    "http": "observing",
    "user": "permissions",
    "local": "trying a flow",
    "sticky_schedule_to_start": "sticky deciders",
    "import_timeout": "timeouts",
    "notice_interval": "instance metadata",
    "min_uptime": "restarts of dead workers",
    "min_failed_tasks": "comparing new code",
    "keep_unused": "kept releases",
    "max_workers_per_list": "limits of pool sizes",
    "sample_interval": "samples of executions",
    "jitter_seed": "randomness",
}
"""The groups of settings, each by the name of its first setting."""

DESCRIPTION = "Keep a pool of Amazon SWF decider and activity workers running on this host."

USAGE = f"""\
%(prog)s --flow MODULE[:NAME] [option ...]
       %(prog)s {UNIT} --flow MODULE[:NAME] [option ...]
       %(prog)s COMMAND [option ...]"""

EXIT_CODES = """\
exit codes:
   0  drained: all tasks in progress were finished
   1  stopped with tasks abandoned; with --once: an execution did not complete
   2  invalid usage or settings
   3  the flow cannot be loaded, or the replay gate found a difference
   4  the pool cannot be kept running
  70  internal error; the log has the traceback
"""

SIGNALS = """\
signals:
  TERM, INT   drain: finish open polls and tasks in progress, then exit;
              another one, a second or more later, stops at once
  QUIT        stop at once
  HUP         restart: replace all workers, with the current code and settings
  TTIN, TTOU  one worker more, or fewer, per activity task list
"""

_COMMANDS = "".join(f"  {name:<10}  {what}\n" for name, what in COMMANDS.items())

EPILOG = f"""\
Every option can also be set in the environment (GARCON_MAX_TASKS) and in the
file of --config (max-tasks). The command line wins over the environment, the
environment over the file. --help-settings explains all settings.

commands to a running supervisor (each has --help):
{_COMMANDS}
other commands:
  {UNIT:<10}  print a systemd unit with the given options
  {COMPLETION:<10}  print a script that completes all this in bash or zsh

{EXIT_CODES}
{SIGNALS}"""
