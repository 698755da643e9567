"""The views: one module per output. They know the result document and nothing below it."""
