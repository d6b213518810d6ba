"""Writes of the classifier: functions `verb_noun` with a required `actor`."""
