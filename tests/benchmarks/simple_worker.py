"""A plain worker: a process on the documented loop, ended by SIGTERM as any Python program is.

``python -m tests.benchmarks.simple_worker ENDPOINT decider|first|last``
"""

import sys

from garcon import client, decider
from tests.processes import steady

client.configure(endpoint_url=sys.argv[1])
served = {"first": steady.first, "last": steady.last}
worker = served[sys.argv[2]] if sys.argv[2] in served else decider.DeciderWorker(steady)
while worker.run():
    pass
