"""The console: the page of executions for any SWF, ``python -m garcon ui``.

Rules:

1. Nothing is called while no page is open: each call to SWF answers a request of the page.
2. SWF allows an account 6 calls a second of some operations. The console takes at most 2 of them
   (``call_pace``), whatever the number of viewers.
3. The history of a closed execution is read once and kept in a file (``closed_histories``).
4. Only those who have the key of the address read anything (``console_app``).
5. Executions change only with ``--allow-actions`` and the page's token (``console_actions``).
"""
