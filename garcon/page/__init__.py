"""The page of executions: the files for the browser, the JSON that they read, and the guard.

Two servers show it: the local SWF (``garcon.local.http``), and the console of any SWF
(``garcon.executions.console``). Each has a document and a script of its own; all other files, the
JSON of an execution and the guard are the same.
"""
