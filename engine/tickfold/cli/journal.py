"""`tickfold journal`: which journals there are, what stands in them, and whether they are sound. Nothing is written."""
