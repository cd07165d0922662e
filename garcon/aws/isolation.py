"""botocore sessions that depend on nothing of the machine: no environment, no file, no proxy.

A local SWF needs no AWS account. A shell's stray profile, empty keys, broken configuration file or
proxy must not reach it.
"""

import os
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

REGION = "us-east-1"
"""The region of a local SWF where no other is named: any will do, but requests carry one."""

CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
"""Credentials for a local SWF, which takes any: boto3 signs no request without some."""

NO_PROXY = Config(proxies={})
"""Given, and empty: botocore then asks no ``HTTP_PROXY`` of the environment."""


def session() -> botocore.session.Session:
    """A session whose every variable has botocore's own default, and whose files are empty."""
    variables: dict[str, Any] = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    for file in ("config_file", "credentials_file"):
        variables[file] = (None, None, os.devnull, None)
    return botocore.session.Session(session_vars=variables)
