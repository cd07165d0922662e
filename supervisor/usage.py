"""The command line as ``--help`` shows it, around the options: first words, exit codes, signals.

Its lines are at most 79 characters long, so that they fit where people read them.
"""

from __future__ import annotations

COMMANDS = {
    "status": "generations, pools and workers",
    "tasks": "the tasks in hand",
    "stacks": "where a worker is right now",
    "logs": "what has happened of late",
    "scale": "change how many workers a task list has",
    "restart": "replace all workers by new ones",
    "drain": "finish what is in hand, and leave",
    "quiet": "poll no more, and stay up",
    "resume": "poll again",
    "stop": "leave now; what is in hand is abandoned",
}
"""Those that speak to a supervisor that runs."""

UNIT = "unit"
"""The one that prints a systemd unit."""

HEADINGS = {
    "flow": "which flow, and where",
    "workers": "how many workers",
    "control": "commands, deploys and drains",
    "ec2": "on an EC2 instance",
    "cancel_grace": "tasks and workers that go wrong",
    "no_sticky": "how executions are decided",
    "log_level": "what is logged",
    "allow_root": "what is allowed",
    "local": "to try a flow",
}
"""Of groups of options, each by the setting that it stands above."""

USAGE = f"""\
%(prog)s --flow MODULE[:NAME] [option ...]
       %(prog)s {UNIT} --flow MODULE[:NAME] [option ...]
       %(prog)s COMMAND [option ...]"""

EXIT_CODES = """\
exit codes:
  0   drained: every task in hand was finished and answered
  1   stopped with work abandoned; with --once: an execution did not complete
  2   usage or settings: the sentence says which and what to do
  3   the flow cannot be loaded: its own traceback is shown; or it decides
      otherwise than its histories show
  4   the pool cannot be kept alive
  70  a fault of the supervisor itself: its traceback is shown
"""

SIGNALS = """\
signals:
  TERM, INT   drain: no new poll, open polls and tasks in hand are finished;
              again: stop now
  QUIT        stop now
  HUP         replace all workers by new ones with the code and the settings as
              they are now
  TTIN, TTOU  one worker more, or fewer, for each activity list
"""

_COMMANDS = "".join(f"  {name:<10}  {what}\n" for name, what in COMMANDS.items())

EPILOG = f"""\
Every option can be given as GARCON_<OPTION> in the environment and, with the
same name, in the file of --config; the command line wins over the environment,
the environment over the file.

commands, to a supervisor that runs; each knows --help:
{_COMMANDS}
and without one that runs:
  {UNIT:<10}  print a systemd unit that runs the options that follow

{EXIT_CODES}
{SIGNALS}"""
