"""systemd, or whoever speaks its protocol: what it is told of us, and the unit that it runs."""
