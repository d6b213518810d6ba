"""How the files of a storage become datasets: rules over paths, comparison with what was seen before, grouping.

Pure functions over plain values. What is read from storages and written to the database stands in `services/watching.py`.
"""
