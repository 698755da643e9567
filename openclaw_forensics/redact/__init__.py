"""Finding and hiding secrets and personal data, and the check of a finished output, which fails closed."""
