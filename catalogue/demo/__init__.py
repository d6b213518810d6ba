"""Synthetic demonstration data: what is pretended (`plan`), and the files that are made of it (`generate`).

No Django here: the files are registered by the same services as an instrument's.
"""
