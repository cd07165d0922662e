"""A plain worker: a process on the documented loop, which a shell loop starts again.

``python -m tests.benchmarks.plain ENDPOINT decider|activity``
"""

import sys

from garcon import client, decider
from tests.benchmarks import crash_flow

client.configure(endpoint_url=sys.argv[1])
worker = decider.DeciderWorker(crash_flow) if sys.argv[2] == "decider" else crash_flow.job
while worker.run():
    pass
