"""The command and the environment of retired code."""

from __future__ import annotations

from pathlib import Path

from supervisor.cli import sources
from supervisor.config.setting_types import HistorySource, MemorySize
from supervisor.config.settings import Settings
from supervisor.ipc.conventions import SERVING_CHANNEL
from supervisor.ipc.messages import Role, SwfEndpoint, TaskList
from supervisor.parent import retired_command

SERVED = (TaskList("shop", Role.DECIDER, "decider"), TaskList("shop_a,b", Role.ACTIVITY, "a,b"))
FOLDER = Path(__file__).parent


def read(settings: Settings, swf: SwfEndpoint, **environ: str) -> sources.ParsedOptions:
    """The settings that retired code beside these has."""
    words = retired_command.words(settings, FOLDER, SERVED)
    return sources.read(words, retired_command.variables(settings, swf, "retired@x", environ))


def test_it_serves_the_same_flow_in_its_own_role() -> None:
    """Settings of the flow are passed on; pools, host, deploys and sockets are not."""
    settings = Settings(
        flow="shop.main:Shop",
        domain="shops",
        region="eu-west-1",
        releases="/srv",
        keep_builds=3,
        workers=8,
        pools={"a": 3},
        control="/run/x.sock",
        http=None,
        gate_replay=HistorySource("off"),
        sticky=False,
        max_memory=MemorySize.parse("512MiB"),
        drain_timeout=90.0,
        poll_timeout=33.0,
        user="shop",
        asg_group="g",
        log_format="json",
    )
    parsed = read(settings, SwfEndpoint("eu-west-1", endpoint_url="http://127.0.0.1:1"))
    expected = Settings(
        flow="shop.main:Shop",
        domain="shops",
        region="eu-west-1",
        folder=str(FOLDER),
        retired=True,
        served_list=("shop", "shop_a,b"),
        control="none",
        ec2="off",
        endpoint_url="http://127.0.0.1:1",
        sticky=False,
        max_memory=MemorySize.parse("512MiB"),
        drain_timeout=90.0,
        poll_timeout=33.0,
        log_format="json",
    )
    assert parsed.settings == expected
    assert parsed.warnings == ()


def test_no_setting_of_the_environment_reaches_it() -> None:
    """They are those of this supervisor, and are passed as its settings; other variables stay."""
    names = {"GARCON_RELEASES": "/srv", "GARCON_CONFIG": "/etc/x", "GARCON_POOL": "x=1"}
    names |= {"GARCON_WORKERS": "7", "GARCON_OF_THE_FLOW": "1", "HOME": "/root"}
    found = retired_command.variables(Settings(flow="f"), SwfEndpoint(), "retired@x", names)
    assert found == {
        "GARCON_CONTROL": "none",
        "GARCON_EC2": "off",
        "GARCON_OF_THE_FLOW": "1",
        "HOME": "/root",
        SERVING_CHANNEL: "retired@x",
    }


def test_beside_a_local_swf_it_cannot_reach_another() -> None:
    """Clients that the flow makes by itself go there, too."""
    swf = SwfEndpoint("us-east-1", endpoint_url="http://127.0.0.1:7", local=True)
    found = retired_command.variables(Settings(flow="f", local=True), swf, "retired@x", {})
    assert found["AWS_ENDPOINT_URL_SWF"] == found["GARCON_ENDPOINT_URL"] == "http://127.0.0.1:7"
    assert found["AWS_DEFAULT_REGION"] == found["GARCON_REGION"] == "us-east-1"
    assert found["AWS_ACCESS_KEY_ID"] == "local"
    assert "GARCON_LOCAL" not in found


def test_every_setting_is_either_passed_on_or_named_as_this_supervisors_own() -> None:
    """A name that is no longer one would hide that a setting is passed on."""
    assert {*Settings.__struct_fields__} >= retired_command.OWN
