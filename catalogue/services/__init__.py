"""All writes. A service authorises its actor, opens one transaction, writes the audit row and records intents."""
