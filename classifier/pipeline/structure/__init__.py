"""Unknown structure in the features of many images, after Aversa et al., Data Intelligence 2, 513 (2020).

Intrinsic dimension, a coding of that size, hierarchical clusterings of the codes, and how far they agree with labels. Needs the
packages of the extra `classifier`. Points are rows: `points` is (N, D), float32 or float64.
"""
