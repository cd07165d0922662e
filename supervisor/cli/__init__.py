"""The command line: options, sources of settings, help, check, commands, systemd unit."""
