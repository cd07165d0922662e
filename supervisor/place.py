"""Points a child at the Amazon SWF that the settings name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from garcon import client

if TYPE_CHECKING:
    from supervisor.messages import Place


def use(place: Place) -> None:
    """Let all clients of this process, which are made from now on, go there."""
    if place.local:
        # Our own endpoint takes any credentials; boto3 insists on some.
        os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
        # A client that the flow makes for itself must not reach the real service from a trial.
        os.environ["AWS_ENDPOINT_URL_SWF"] = str(place.endpoint_url)
    client.configure(region=place.region, profile=place.profile, endpoint_url=place.endpoint_url)
