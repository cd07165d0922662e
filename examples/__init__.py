"""Flows to read and to run; a test runs each of them."""
