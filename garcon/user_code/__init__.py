"""Safeguards against the code of a flow: texts that raise, exceptions, forks."""
