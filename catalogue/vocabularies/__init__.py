"""Controlled vocabularies as plain data with readers: techniques, licences, DataCite's lists, standard names.

No Django and no network here. Services write these terms into the database.
"""
