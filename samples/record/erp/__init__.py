"""ERPs that call the platforms and log it as such programs do."""
