"""The questions asked of the frame: rules, error catalogues and detectors, then owners, parties and the verdict."""
