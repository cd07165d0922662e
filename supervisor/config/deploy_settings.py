"""Commands, deploys and drains, and the notices of the EC2 instance that cause a drain."""

from typing import Annotated, Literal

from supervisor.config.advanced import Count, Seconds, SecondsOrZero, Text, about
from supervisor.config.flow_settings import FlowSettings
from supervisor.config.setting_types import BuildId, HistorySource, Surge


class DeploySettings(FlowSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ways in which new code comes in and the host is left."""

    # --- commands, deploys and drains
    control: Annotated[
        Text | None,
        about(
            "control socket of status, restart and other commands; none for no socket",
            why="Only root and the supervisor's own user may use it.",
            metavar="PATH",
            default="garcon-FLOW.sock in /run for root, else in $XDG_RUNTIME_DIR or"
            " /tmp/garcon-UID",
        ),
    ] = None
    build: Annotated[
        BuildId | None,
        about(
            "id of the flow's code, the same on all hosts that have the same code",
            why="Deciders note it in each execution: code that does not fit an execution returns"
            " it to its build. Name a release, or leave it to the digest of the flow's own files.",
            metavar="ID",
            default="digest of the flow's own files",
        ),
    ] = None
    retired: Annotated[
        bool,
        about(
            "serve only executions of this build, for old code beside the code that serves",
            why="Executions that new code does not fit go on with the old code: one decider polls"
            " the list of its build, and only lists of --pool have workers.",
        ),
    ] = False
    served_list: Annotated[
        tuple[str, ...],
        about(
            "with --retired: a task list that other code serves; repeatable",
            why="Retired code then has a worker for each of its lists that is not named: tasks of"
            " lists that newer code no longer has would wait.",
            metavar="LIST",
        ),
    ] = ()
    releases: Annotated[
        Text | None,
        about(
            "folder of releases: the newest serves, or the one that the link current leads to",
            why="Executions that new code does not fit go on with the code that began them: older"
            " releases are served beside it as retired code.",
            metavar="DIR",
            default="one release, the flow's own folder",
        ),
    ] = None
    keep_builds: Annotated[
        Count,
        about(
            "older releases of --releases that are served as retired code",
            why="Each takes three processes and one open poll, and one more of both for each list"
            " that it alone has. Executions of code that is not kept wait until it is served.",
            unit="builds",
            metavar="N",
        ),
    ] = 1
    surge: Annotated[
        Surge,
        about(
            "processes that a restart may run beside the pool, or a share of its slots",
            why="100% replaces all slots at once, which is fastest; where memory is short, a"
            " smaller surge needs less and takes longer. Canaries, one per list, come on top.",
            metavar="N|PERCENT",
        ),
    ] = Surge("100%")
    probation: Annotated[
        SecondsOrZero,
        about(
            "time that the previous generation is kept for a rollback; 0 keeps none",
            why="Code that crashes its workers usually does so within a minute.",
            unit="seconds",
        ),
    ] = 60.0
    gate_replay: Annotated[
        HistorySource,
        about(
            "stop code that decides these executions differently: open:N, last:N, a folder; or off",
            why="Executions that new code does not fit wait for code that does: open:N samples open"
            " ones, last:N takes those that were started last, a folder holds recorded ones; off:"
            " no gate. Replaying delays each start by a call for each thousand events.",
            metavar="WHICH",
        ),
    ] = HistorySource("open:20")
    on_late_task: Annotated[
        Literal["run", "return"],
        about(
            "an activity task that the last poll of a leaving worker brings: run it, or return it"
            " to SWF not started",
            why="A returned task costs no attempt and starts one decision later on another worker."
            " That pays for tasks of hours on hosts that have minutes.",
        ),
    ] = "run"
    drain_timeout: Annotated[
        Seconds | None,
        about(
            "time of a drain; then tasks in progress are abandoned",
            why="An abandoned task is reported to SWF as Interrupted.",
            unit="seconds",
            default="as long as the tasks' own timeouts allow",
        ),
    ] = None

    # --- EC2 instances
    ec2: Annotated[
        Literal["auto", "on", "off"],
        about(
            "act on notices of interruption, maintenance and scale-in; auto: on EC2 instances",
            why="auto reads three small files of the firmware, so other hosts pay nothing. Notices"
            " are never read with --local or AWS_EC2_METADATA_DISABLED=true.",
        ),
    ] = "auto"
    notice_margin: Annotated[
        Seconds,
        about(
            "time before the end of the instance at which unfinished tasks are reported to SWF",
            why="Each report is a call, and a spot instance has two minutes in all.",
            unit="seconds",
        ),
    ] = 30.0
    on_rebalance: Annotated[
        Literal["log", "drain"],
        about(
            "reaction to a rebalance recommendation",
            why="It may come hours before an interruption, or without one.",
        ),
    ] = "log"
    asg_group: Annotated[
        Text | None,
        about(
            "Auto Scaling group of the instance",
            why="A name saves the permission for DescribeAutoScalingInstances.",
            metavar="NAME",
            default="looked up",
        ),
    ] = None
    asg_hook: Annotated[
        Text | None,
        about(
            "termination lifecycle hook of the group",
            why="A name saves the permission for DescribeLifecycleHooks.",
            metavar="NAME",
            default="looked up",
        ),
    ] = None
    asg_launch_hook: Annotated[
        Text | None,
        about(
            "launch lifecycle hook to complete: CONTINUE once ready, ABANDON if refused",
            why="An instance refresh stops and rolls back if new instances are abandoned. A launch"
            " hook may be for another program, so none is guessed.",
            metavar="NAME",
            default="none",
        ),
    ] = None
    protect_busy: Annotated[
        bool,
        about(
            "protect the instance from scale-in while tasks are in progress",
            why="It needs the permission for SetInstanceProtection.",
        ),
    ] = False
