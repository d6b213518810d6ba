"""The pages of the classifier."""
