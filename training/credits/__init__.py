"""Credits, certificates and sessional pay for attended sessions. No row here leads to a request."""
