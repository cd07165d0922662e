"""Notifications for systemd, or another service manager with its protocol (sd_notify(3))."""
