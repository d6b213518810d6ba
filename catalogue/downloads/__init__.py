"""The pure parts of downloads: byte ranges, headers, zip layout, lists, usage rules. No model and no request is known here."""
