"""Communication between processes: messages, channels, crash records, the spool."""
