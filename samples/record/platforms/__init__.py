"""Stand-ins of the platforms: they check tokens, signatures and stamps and answer with the documented envelopes."""
