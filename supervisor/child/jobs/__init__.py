"""Startup jobs and reports: short-lived forks that do one job at SWF and end."""
