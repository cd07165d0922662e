"""Mutations of the supervising process: its loop, its kernel calls and its control socket."""

from __future__ import annotations

from tests.mutation.mutation import Mutation

SHELL = "supervisor/parent/shell.py"
CHILD_EVENTS = "supervisor/parent/child_events.py"
ACTION_RUNNER = "supervisor/parent/action_runner.py"
PROCESS_TABLE = "supervisor/parent/process_table.py"
OS_PROCESSES = "supervisor/parent/os_processes.py"
CONTROL_SOCKET = "supervisor/parent/control_socket.py"
CONTROL_HANDLER = "supervisor/parent/control_handler.py"

_REAP = "        dead = self._kernel.reap(self._events.is_ours)\n"
_READ = "        received, requests = self._receive_all(wake_up)\n"
_DEATHS = "            *self._events.settle_deaths(dead),\n"
_RECEIVED = "            *received,\n"
_STEPS = """\
        actions = [action for event in events for action in self._core.handle(event, now)]
        self._actions.carry_out(actions)
"""

MUTATIONS = (
    # --- the loop
    Mutation(SHELL, "channels are read before the dead are reaped", _REAP + _READ, _READ + _REAP),
    Mutation(SHELL, "deaths come before messages", _RECEIVED + _DEATHS, _DEATHS + _RECEIVED),
    Mutation(
        SHELL,
        "actions are carried out event by event",
        _STEPS,
        """\
        for event in events:
            self._actions.carry_out(self._core.handle(event, now))
""",
    ),
    Mutation(SHELL, "early messages are lost", "            *self._events.take_early(),\n", ""),
    Mutation(SHELL, "failures are lost", "            *self._actions.take_failures(),\n", ""),
    Mutation(
        SHELL, "no tick", "        if now >= self._core.next_deadline():", "        if False:"
    ),
    Mutation(
        SHELL,
        "the wait ignores the core's deadline",
        "            self._core.next_deadline(),\n",
        "            999.0,\n",
    ),
    Mutation(
        SHELL,
        "the wait ignores the memory watchdog",
        "            self._memory_watchdog.next_check(self._children),\n",
        "",
    ),
    Mutation(
        SHELL,
        "the wait ignores the service manager",
        "            self._notifier.next_call(),\n",
        "",
    ),
    Mutation(
        SHELL, "a failure waits for the next event", "if self._actions.failures:", "if False:"
    ),
    Mutation(
        SHELL,
        "a closed terminal restarts",
        "if self._has_terminal and self._kernel.has_lost_terminal():",
        "if False:",
    ),
    Mutation(
        SHELL,
        "a supervisor without a terminal drains on HUP",
        "if self._has_terminal and self._kernel.has_lost_terminal():",
        "if self._kernel.has_lost_terminal():",
    ),
    Mutation(
        SHELL,
        "the service manager is not notified",
        "        self._notifier.notify(self._core, now, had_events=bool(events))\n",
        "",
    ),
    Mutation(
        SHELL,
        "requests are served before the events",
        "        has_acted = self._decide(events, now)\n",
        "        has_acted = bool(requests) or self._decide(events, now)\n",
    ),
    Mutation(
        SHELL,
        "the spool is recovered without a lock",
        "            self._spawner.note_lists(self._supervisor_lock, owner)\n",
        "            pass\n",
    ),
    Mutation(
        SHELL,
        "the supervisor's lock file stays",
        "            self._supervisor_lock.release()\n",
        "            pass\n",
    ),
    Mutation(
        SHELL,
        "channels stay open at the end",
        "                child.channel.close_sending()\n",
        "                pass\n",
    ),
    Mutation(
        SHELL,
        "a child that does not end is left alone",
        "            child.kill(self._kernel.kill_group)\n",
        "            pass\n",
    ),
    Mutation(
        SHELL,
        "signals make the end spin",
        "            self._kernel.take_signals(wake_up)  # read, or",
        "            #",
    ),
    Mutation(
        SHELL,
        "orphans are not adopted",
        "        self._kernel.become_subreaper()\n",
        "",
    ),
    # --- messages and deaths
    Mutation(
        CHILD_EVENTS,
        "a worker may report for another",
        'if getattr(event, "worker", child.key) != child.key:',
        "if False:",
    ),
    Mutation(
        CHILD_EVENTS,
        "a worker that announces itself and dies is a stray",
        "        if self._children.by_pid(pid) is None:\n",
        "        if False:\n",
    ),
    Mutation(
        CHILD_EVENTS,
        "a channel that has ended is polled on",
        "        if child.channel.closed:\n            self._poll.unregister(child.channel)\n",
        "        if child.channel.closed:\n",
    ),
    Mutation(
        CHILD_EVENTS,
        "the dead stay in the table",
        "        event = self._death(child, dead)\n        self._children.remove(child)\n",
        "        event = self._death(child, dead)\n",
    ),
    Mutation(
        CHILD_EVENTS,
        "a sender of invalid messages lives on",
        "            child.kill(self._kernel.kill_group)\n",
        "",
    ),
    Mutation(
        CHILD_EVENTS,
        "a flow that cannot be loaded is only a dead zygote",
        "    if failure := zygote.load_failure:\n",
        "    if (failure := zygote.load_failure) and False:\n",
    ),
    Mutation(
        CHILD_EVENTS,
        "a worker stays a working one",
        "                child.working = False\n",
        "                pass\n",
    ),
    Mutation(
        CHILD_EVENTS,
        "a worker that has become another program is not noticed",
        "                    self._closed.append(child)\n",
        "                    pass\n",
    ),
    # --- actions
    Mutation(
        PROCESS_TABLE,
        "our own kill looks like the OOM killer's",
        "        self.killed = True",
        "        self.killed = False",
    ),
    Mutation(
        ACTION_RUNNER,
        "a retired zygote is only asked to leave",
        "                zygote.kill(self._kernel.kill_group)\n",
        "                zygote.kill(self._kernel.terminate)\n",
    ),
    Mutation(
        ACTION_RUNNER,
        "new memory limits do not hold",
        "                self._memory_watchdog.limit = settings.max_memory_hard\n",
        "                pass\n",
    ),
    Mutation(
        ACTION_RUNNER,
        "workers of failed code start their tasks",
        "                self._write(worker, crash_record.request_return)\n",
        "                pass\n",
    ),
    Mutation(
        PROCESS_TABLE,
        "signals for a worker without a pid are lost",
        "        for send in self._unsent:\n            send(pid)\n",
        "",
    ),
    # --- the kernel
    Mutation(
        OS_PROCESSES,
        "the group of a stray is killed",
        "                if is_ours(found.si_pid):\n",
        "                if is_ours(found.si_pid) or True:\n",
    ),
    Mutation(
        OS_PROCESSES,
        "the group of a dead worker lives on",
        "                        os.killpg(found.si_pid, signal.SIGKILL)\n",
        "                        pass\n",
    ),
    Mutation(
        OS_PROCESSES,
        "a dead process is collected before the question",
        "os.WEXITED | os.WNOHANG | os.WNOWAIT",
        "os.WEXITED | os.WNOHANG",
    ),
    Mutation(
        OS_PROCESSES,
        "a process without a group of its own is not killed",
        "        _signal(os.kill, pid, signal.SIGKILL)\n",
        "",
    ),
    Mutation(
        OS_PROCESSES,
        "a kill leaves the group",
        "        _signal(os.killpg, pid, signal.SIGKILL)\n",
        "",
    ),
    Mutation(
        OS_PROCESSES,
        "a terminate takes the group along",
        "        _signal(os.kill, pid, signal.SIGTERM)\n",
        "        _signal(os.killpg, pid, signal.SIGTERM)\n",
    ),
    Mutation(
        OS_PROCESSES,
        "a signal to a dead process is an error",
        "    except ProcessLookupError:\n        pass",
        "    except ProcessLookupError:\n        raise",
    ),
    Mutation(
        OS_PROCESSES,
        "a process of another user ends the supervisor",
        "    except PermissionError:\n        from",
        "    except PermissionError:\n        raise\n        from",
    ),
    Mutation(
        OS_PROCESSES,
        "the wait spins through its last millisecond",
        "int(seconds * 1000) + 1 if",
        "int(seconds * 1000) if",
    ),
    Mutation(
        OS_PROCESSES,
        "children may notify systemd",
        "environment_of_children(os.environ) if variables",
        "dict(os.environ) if variables",
    ),
    Mutation(
        OS_PROCESSES,
        "a child stays in the terminal's foreground group",
        "                    setpgroup=0,",
        "                    ",
    ),
    Mutation(
        OS_PROCESSES,
        "a child keeps ignored signals",
        "                    setsigdef=SUPERVISOR_SIGNALS,",
        "                    ",
    ),
    Mutation(
        OS_PROCESSES,
        "a failed spawn leaves a descriptor",
        "                ours.close()\n                raise\n",
        "                raise\n",
    ),
    Mutation(
        OS_PROCESSES,
        "memory in KiB passes for bytes",
        "peak_memory=used.ru_maxrss * 1024,",
        "peak_memory=used.ru_maxrss,",
    ),
    Mutation(
        OS_PROCESSES,
        "a lack of descriptors is a lost terminal",
        "            return error.errno in _NO_TERMINAL\n",
        "            return True\n",
    ),
    Mutation(
        OS_PROCESSES,
        "no subreaper",
        "libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)",
        "libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)",
    ),
    Mutation(
        OS_PROCESSES,
        "children get the raised limit of descriptors",
        "        if (soft := self._descriptors_of_children) is not None:\n",
        "        if (soft := self.descriptor_limit()) is not None:\n",
    ),
    # --- the control socket
    Mutation(
        CONTROL_SOCKET,
        "every user is served",
        "if client.uid not in (_ROOT, os.geteuid()):",
        "if False:",
    ),
    Mutation(
        CONTROL_SOCKET,
        "the pid passes for the uid",
        "    _, uid, _ = _CREDENTIALS",
        "    uid, _, _ = _CREDENTIALS",
    ),
    Mutation(
        CONTROL_SOCKET,
        "a second client without a descriptor waits for ever",
        'raise LimitNOFILE=.")\n        self._spare = _spare_descriptor()\n',
        'raise LimitNOFILE=.")\n',
    ),
    Mutation(
        CONTROL_SOCKET,
        "replies pile up for a client that does not read",
        " or len(client.unsent) > OUT_BYTES:",
        ":",
    ),
    Mutation(
        CONTROL_SOCKET,
        "a client that does not read is read from",
        "        if self.unsent:\n            return select.POLLOUT\n",
        "",
    ),
    Mutation(
        CONTROL_SOCKET,
        "a client that has closed its sending side spins",
        "        return 0 if self.is_done else select.POLLIN\n",
        "        return select.POLLIN\n",
    ),
    Mutation(
        CONTROL_SOCKET,
        "a request may be endless",
        "        if len(client.received) > LINE_BYTES:",
        "        if False:",
    ),
    # --- requests
    Mutation(
        CONTROL_HANDLER,
        "a refused request is carried out",
        "        if refusal := self._core.refusal(event):\n"
        "            return control_protocol.RefusedReply(why=refusal)\n",
        "",
    ),
    Mutation(
        CONTROL_HANDLER,
        "actions of a request are lost",
        "        self._actions.carry_out(actions)\n        return _done",
        "        return _done",
    ),
    Mutation(
        CONTROL_HANDLER,
        "the first stacks count as complete",
        "is_complete = bool(lines) and lines == child.stacks",
        "is_complete = bool(lines)",
    ),
    Mutation(
        CONTROL_HANDLER,
        "stacks of a sidecar",
        "or child.crash_record is None or not is_worker:",
        "or child.crash_record is None:",
    ),
    Mutation(
        CONTROL_HANDLER,
        "old stacks are shown for new ones",
        "        crash_record.clear_stacks(descriptor)\n        child.stacks = ()\n",
        "",
    ),
    Mutation(
        CONTROL_HANDLER,
        "every change has a generation",
        "generation=generation if isinstance(event, messages.RestartRequested) else None,",
        "generation=generation,",
    ),
)
