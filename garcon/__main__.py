"""``python -m garcon COMMAND``: the executions of a flow, from the command line."""

import sys

from garcon.executions.commands import main

if __name__ == "__main__":
    sys.exit(main())
