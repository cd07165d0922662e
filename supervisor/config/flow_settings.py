"""The flow that a supervisor serves, and how many workers serve it."""

from typing import Annotated

import msgspec

from supervisor.config.advanced import AdvancedSettings, Count, Seconds, Text, about
from supervisor.config.setting_types import PollBounds, PoolBounds


class FlowSettings(AdvancedSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The flow, its place at AWS, and the sizes of its pools."""

    # --- flow
    flow: Annotated[
        Text,
        about(
            "flow to serve: a module, module:object or module:Class",
            why="One supervisor serves one flow. A class gets a client, the domain and the name.",
            metavar="MODULE[:NAME]",
        ),
    ] = ""
    folder: Annotated[
        Text | None,
        about(
            "folder to import the flow from, and working folder of its tasks",
            why="A release in a folder of its own can be served from anywhere. If it has an"
            " environment of its own (.venv/bin/python in it), that one is used.",
            metavar="DIR",
            default="the working folder",
        ),
    ] = None
    domain: Annotated[
        Text | None,
        about(
            "SWF domain",
            why="The same flow may run in a domain for tests and one for production.",
            metavar="NAME",
            default="the flow's own",
        ),
    ] = None
    register_domain: Annotated[
        bool,
        about(
            "register the domain of --domain if SWF does not have it",
            why="SWF deletes no domain: a typo would stay. The flow's own is always registered.",
        ),
    ] = False
    name: Annotated[
        Text | None,
        about(
            "name of the flow",
            why="It begins the names of all its types and task lists.",
            metavar="NAME",
            default="the flow's own",
        ),
    ] = None
    region: Annotated[
        Text | None,
        about(
            "AWS region",
            why="boto3 finds it in the environment, the configuration files or on the instance.",
            metavar="NAME",
            default="boto3's",
        ),
    ] = None
    profile: Annotated[
        Text | None,
        about(
            "AWS profile",
            why="boto3 finds credentials in its own order; a profile names one source.",
            metavar="NAME",
            default="boto3's",
        ),
    ] = None
    endpoint_url: Annotated[
        Text | None,
        about(
            "SWF endpoint",
            why="A VPC endpoint or a local SWF has an address of its own.",
            metavar="URL",
            default="boto3's",
        ),
    ] = None

    # --- pool sizes
    workers: Annotated[
        Count,
        about(
            "workers per activity task list",
            why="A worker runs one task at a time. One per list is enough to try a flow.",
            metavar="N",
        ),
    ] = 1
    deciders: Annotated[
        Count,
        about(
            "decider workers",
            why="A decision takes milliseconds. 0 leaves the decisions to other hosts.",
            metavar="N",
        ),
    ] = 1
    pools: Annotated[
        dict[str, Count],
        about(
            "workers of one task list, named in full or by its activity; repeatable",
            why="Activities differ in length; 0 leaves a list to other hosts.",
            metavar="LIST=N",
            default="as --workers and --deciders say",
        ),
    ] = msgspec.field(default_factory=dict)
    scale: Annotated[
        dict[str, PoolBounds],
        about(
            "size the pool of a list by its backlog, within these bounds; repeatable",
            why="Tasks that wait cost time, idle workers cost memory.",
            metavar="LIST=MIN..MAX",
            default="fixed sizes",
        ),
    ] = msgspec.field(default_factory=dict)
    hosts: Annotated[
        Count,
        about(
            "hosts that serve this flow in the account, this one included; 0: detected",
            why="They share the account's budgets: the more there are, the fewer counts each makes."
            " In an auto scaling group the number is detected; elsewhere one is assumed. --check"
            " prints what so many hosts demand of each budget.",
            metavar="N",
        ),
    ] = 0
    polls: Annotated[
        dict[str, PollBounds],
        about(
            "fewest and most idle workers of a list that poll at once, or all; repeatable; all"
            " without a list is for every list",
            why="An account has 200 polls a second for all its hosts, and the polls of idle workers"
            " would use them up. One poll finds that tasks come, and more follow at once.",
            metavar="LIST=MIN..MAX|all",
            default="1 to all, as tasks wait",
        ),
    ] = msgspec.field(default_factory=dict)
    scale_interval: Annotated[
        Seconds,
        about(
            "time between two counts of the backlog of a list",
            why="Each count is one call, and an account has about 6 such calls a second for all its"
            " hosts. In a fleet only some hosts count at each interval.",
            unit="seconds",
        ),
    ] = 30.0
