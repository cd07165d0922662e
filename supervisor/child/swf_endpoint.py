"""The SWF endpoint, region and profile of all clients of this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from garcon import client

if TYPE_CHECKING:
    from supervisor.ipc.messages import SwfEndpoint


def use(swf: SwfEndpoint) -> None:
    """Let every client that this process makes from now on use this endpoint."""
    if swf.local:
        # For clients that the flow makes by itself: a trial must not reach the real service.
        os.environ["AWS_ENDPOINT_URL_SWF"] = str(swf.endpoint_url)
    client.configure(
        region=swf.region,
        profile=swf.profile,
        endpoint_url=swf.endpoint_url,
        isolated=swf.local,
    )
