"""A server that behaves as DataCite's REST API does, for machines and tests without an account there.

It keeps to the contract of DataCite's own source (datacite/lupo) as far as a repository account notices: states, events,
merging, error shapes, rights and visibility, paging. What it does not do is answered 406 (citations and other formats),
501 or 404 (reports, undo, providers). XML that is sent is kept but not read: describe names by JSON attributes.

No Django in here, no model and no setting: `manage.py datacite_standin` and tests give it what it needs.
"""
