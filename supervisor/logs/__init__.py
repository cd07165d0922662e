"""The log of all processes: records, formats, and the redaction of secrets."""
