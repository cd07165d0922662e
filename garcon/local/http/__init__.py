"""The local SWF over HTTP: server, application, web UI."""
