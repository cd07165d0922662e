"""``python -m garcon COMMAND``: executions of a flow, from the command line."""

import sys

from garcon.workflow.commands import main

if __name__ == "__main__":
    sys.exit(main())
