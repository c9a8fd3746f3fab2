"""What it means: folds over events."""
