"""From a diagnosis to the result document: every number that a view shows is made here."""
