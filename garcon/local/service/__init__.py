"""One local SWF behind any transport: protocol, validation, faults, journal, clock, polls."""
