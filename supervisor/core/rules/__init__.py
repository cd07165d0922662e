"""The rules that run at every event, one subject a file. Pure."""
