"""The command line and the environment of retired code: a kept release as a supervisor of its own.

Rules:

1. The two supervisors may be of different versions. Between them are a command line, variables,
   signals, exit codes, and one message: ``SidecarReady`` with the build. A setting that an older
   release does not know is a variable that it ignores with a warning.
2. The role is on the command line. Every other setting of this supervisor holds for retired code as
   well, through the environment, but for what is this supervisor's own (``OWN``).
3. No variable or file of this supervisor's settings reaches it: all have gone into its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.config.settings import Settings
from supervisor.ipc.conventions import SERVING_CHANNEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from supervisor.ipc.messages import SwfEndpoint, TaskList

_PREFIX = "GARCON_"

_ROLE = frozenset({"flow", "folder", "retired", "served_list"})

OWN = frozenset(
    {
        *("control", "build", "releases", "keep_builds", "surge", "probation", "gate_replay"),
        *("workers", "pools", "polls", "scale", "scale_interval", "scale_samples", "hosts"),
        *("ec2", "asg_group", "asg_hook", "asg_launch_hook", "protect_busy", "on_rebalance"),
        *("notice_interval", "notice_margin", "maintenance_lead", "metadata_token_ttl"),
        *("http", "emf", "otel_metrics", "sample_executions", "user", "register_domain"),
        *("local", "endpoint_url", "start", "once", "jitter_seed"),
    }
)
"""Settings of this supervisor alone: its pools, its host, its deploys, and how it is observed."""

_OTHER_NAMES = ("POOL", "CONFIG")
"""Names of variables that are not names of settings."""


def words(settings: Settings, folder: Path, served: Iterable[TaskList]) -> list[str]:
    """The options."""
    lists = (word for each in served for word in ("--served-list", each.name))
    return ["--flow", settings.flow, "--folder", str(folder), "--retired", *lists]


def variables(
    settings: Settings, swf: SwfEndpoint, sidecar: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """The environment."""
    defaults = Settings()
    names = [each for each in Settings.__struct_fields__ if each not in _ROLE | OWN]
    ours = {_PREFIX + each.upper() for each in (*Settings.__struct_fields__, *_OTHER_NAMES)}
    given = {each: getattr(settings, each) for each in names}
    given |= {"control": "none", "ec2": "off"}
    given |= {"region": swf.region, "endpoint_url": swf.endpoint_url}
    return {
        **{name: value for name, value in environ.items() if name not in ours},
        **{
            _PREFIX + name.upper(): _text(value)
            for name, value in given.items()
            if value is not None and value != getattr(defaults, name)
        },
        **(_isolation(swf) if swf.local else {}),
        SERVING_CHANNEL: sidecar,
    }


def _isolation(swf: SwfEndpoint) -> dict[str, str]:
    """A local SWF takes any credentials, and the real service must not be reached."""
    return {
        "AWS_ENDPOINT_URL_SWF": str(swf.endpoint_url),
        "AWS_DEFAULT_REGION": str(swf.region),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
